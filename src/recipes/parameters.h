// SPDX-License-Identifier: Apache-2.0
// The `parameters` text of AUTOMATIC1111's web UI and its heirs:
//
//   a castle on a hill, <lora:brand:0.8>
//   Negative prompt: blurry
//   Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 1, Size: 512x512
//
// Prompts may have several lines. Values with a comma, colon or line end stand in quotes, escaped
// as in JSON. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace affiche::recipes {

struct Parameters {
  std::string prompt;
  std::string negative_prompt;
  std::vector<std::pair<std::string, std::string>> fields;  // in order; values without quotes

  // The first of that name.
  std::optional<std::string> field(std::string_view name) const;
};

// Any text is a prompt, so nothing is refused. The last line counts as fields when it has at least
// three, as in the web UI; without such a line there are none.
Parameters parse_parameters(std::string_view text);

// The fields of one line, "Module: canny, Weight: 1".
std::vector<std::pair<std::string, std::string>> parse_fields(std::string_view line);

// Control characters become spaces, line ends within values too.
std::string to_text(const Parameters& parameters);

}  // namespace affiche::recipes
