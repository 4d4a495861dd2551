// SPDX-License-Identifier: Apache-2.0
// "unknown key 'widht' (did you mean 'width'?)" for every place that names things.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace affiche {

// " (did you mean 'width'?)" when one of `known` is within a third of the word's length in edit
// distance, else " (known: a, b, c)".
std::string suggestion(std::string_view word, std::span<const std::string> known);

}  // namespace affiche
