// SPDX-License-Identifier: Apache-2.0
// The parts of `affiche lora`, one file each.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/json.h"
#include "cli/command.h"
#include "diffusion/lora/adapters.h"

namespace affiche::cli {

inline constexpr int kLeftOut = 3;  // exit code: done, without the layers that did not fit

void add_lora_inspect(CLI::App& lora, Shared& shared);
void add_lora_merge(CLI::App& lora, Shared& shared);
void add_lora_convert(CLI::App& lora, Shared& shared);

// What became of a file's layers, for --json.
Json to_json(const diffusion::LoraReport& report);
// "3x320x1x1"
std::string shape_text(const std::vector<std::int64_t>& shape);
// One line on standard error for every layer of the file that was left out; how many they were.
std::size_t warn_of_left_out(const diffusion::LoraReport& report);

}  // namespace affiche::cli
