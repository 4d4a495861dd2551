// SPDX-License-Identifier: Apache-2.0
#include "cards/opentype.h"

#include <algorithm>

namespace affiche::cards {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || is_digit(c);
}

}  // namespace

bool is_opentype_tag(std::string_view tag) {
  return tag.size() == 4 && std::all_of(tag.begin(), tag.end(), is_letter_or_digit);
}

bool is_opentype_feature(std::string_view feature) {
  const std::string_view value = feature.substr(std::min(feature.size(), std::size_t{4}));
  const bool numbered = value.size() >= 2 && value.size() <= 4 && value[0] == '=' &&
                        std::all_of(value.begin() + 1, value.end(), is_digit);
  return is_opentype_tag(feature.substr(0, 4)) && (value.empty() || numbered);
}

}  // namespace affiche::cards
