// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/prompt_lists.h"

#include <algorithm>

#include "base/error.h"

namespace affiche::diffusion {

Prompts for_each(Prompts prompts, std::size_t count) {
  if (prompts.empty()) prompts = {""};
  if (prompts.size() == 1) prompts.resize(count, prompts[0]);
  return prompts;
}

Prompts second_or(const Prompts& second, const Prompts& first) {
  const bool empty = second.empty() || (second.size() == 1 && second[0].empty());
  return empty ? first : for_each(second, first.size());
}

std::string quoted(const std::string& prompt) {
  // The cut may fall inside a character; what is left of it is dropped with the rest.
  std::size_t end = std::min<std::size_t>(prompt.size(), 60);
  while (end > 0 && end < prompt.size() &&
         (static_cast<unsigned char>(prompt[end]) & 0xC0) == 0x80) {
    --end;
  }
  return concat("the prompt \"", prompt.substr(0, end), end < prompt.size() ? "…\"" : "\"");
}

}  // namespace affiche::diffusion
