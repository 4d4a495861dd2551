// SPDX-License-Identifier: Apache-2.0
// Cards of ours, measured.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/files.h"
#include "base/json.h"
#include "cards/brand.h"
#include "cards/prepared_parts.h"
#include "cards/template.h"
#include "cli/bench_parts.h"

namespace affiche::cli {

struct Measured {
  std::vector<double> ms;                            // of each card
  std::map<std::string, std::vector<double>> steps;  // of each card, by step
  Bytes last;                                        // the last card
};

// `fresh`: photo and background are read from their files for each card, and are others than all
// before. Else both are at hand as earlier cards prepared them. `kept`: CardInputs::kept.
Measured measure_cards(const cards::Template& card, const cards::Brand& brand,
                       const BenchParts& parts, bool fresh, int count,
                       const std::shared_ptr<cards::PreparedParts>& kept);

// Cards `first` to first + count - 1 of a long run: words of its own on each, a new photo and
// background for each tenth.
void make_stream(const cards::Template& card, const cards::Brand& brand, const BenchParts& parts,
                 int first, int count, const std::shared_ptr<cards::PreparedParts>& kept);

double median(std::vector<double> values);

// Runs a peer's driver on this core: its version, milliseconds of each card, and size; or only
// "why" there are none, from what it wrote to standard error, which goes into `complaints`.
Json run_peer(const std::string& command, const std::filesystem::path& complaints);

}  // namespace affiche::cli
