// SPDX-License-Identifier: Apache-2.0
// A1111's brackets in prompts: how much each part of the text counts. (more) times 1.1, [less]
// divided by 1.1, (so much:1.3) times 1.3; nested ones multiply; a backslash makes a bracket text;
// a bracket that nobody closes reaches to the end, one that nobody opened is text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace affiche::diffusion {

struct PromptPart {
  std::string text;
  double weight = 1;
  bool starts_chunk = false;  // the word BREAK; it has no text and no weight
};

// The parts in order, neighbours of one weight joined; at least one. Linear in the length. Unlike
// in A1111, a BREAK inside brackets is one too (there it turns into a word with a negative weight).
// BadInput: not UTF-8, a weight that is not a finite number, brackets more than 100 deep, whose
// weights no text encoder's output survives.
std::vector<PromptPart> parse_prompt_weights(std::string_view utf8);

// The same with brackets and backslashes as text: nothing but BREAK is read.
std::vector<PromptPart> split_at_breaks(std::string_view utf8);

}  // namespace affiche::diffusion
