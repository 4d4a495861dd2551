// SPDX-License-Identifier: Apache-2.0
// What the card that is measured is made from: pictures made by code, the same on every machine.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "imaging/credit.h"

namespace affiche::cli {

struct BenchParts {
  std::filesystem::path folder;  // photo-N.jpg, background-N.png and .raw, mask.png, overlay.png
  int count = 4;                 // of photos and of backgrounds
  std::vector<std::string> headlines;
  std::string byline = "By Mara Lindqvist · 16 November 2026";
  Credit credit;
};

// Writes them, and plan.json for the peers, into `folder`. `drawings`: bench/cards.
BenchParts write_bench_parts(const std::filesystem::path& drawings,
                             const std::filesystem::path& folder);

}  // namespace affiche::cli
