// SPDX-License-Identifier: Apache-2.0
// Inputs that hold several files: lines "%%" stand between them.
#pragma once

#include <string_view>
#include <vector>

namespace affiche::fuzz {

// Exactly `count` parts; what lacks is empty, and the last one is the rest.
inline std::vector<std::string_view> parts_of(std::string_view text, std::size_t count) {
  constexpr std::string_view kBorder = "\n%%\n";
  std::vector<std::string_view> parts;
  while (parts.size() + 1 < count) {
    const std::size_t end = text.find(kBorder);
    parts.push_back(text.substr(0, end));
    text = end == std::string_view::npos ? "" : text.substr(end + kBorder.size());
  }
  parts.push_back(text);
  return parts;
}

}  // namespace affiche::fuzz
