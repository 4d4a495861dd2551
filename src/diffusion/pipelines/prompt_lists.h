// SPDX-License-Identifier: Apache-2.0
// How prompts that were left out, or given once for all, become one for each.
#pragma once

#include <string>
#include <vector>

namespace affiche::diffusion {

using Prompts = std::vector<std::string>;

// One for all becomes one for each; none is the empty one.
Prompts for_each(Prompts prompts, std::size_t count);
// diffusers' `prompt_2 or prompt`.
Prompts second_or(const Prompts& second, const Prompts& first);
// The beginning of a prompt for messages: the prompt "…".
std::string quoted(const std::string& prompt);

}  // namespace affiche::diffusion
