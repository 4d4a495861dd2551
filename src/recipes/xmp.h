// SPDX-License-Identifier: Apache-2.0
// The XMP packet of a picture that a model made: its IPTC digital source type, which platforms look
// for, and the recipe. Thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace affiche::recipes {

// `recipe` is JSON; `software` as "affiche 0.1.0".
std::string recipe_xmp(const std::string& recipe, const std::string& software);

// The recipe's JSON out of a packet, whether written by recipe_xmp() or rewritten by another
// program as attribute or element; none when there is no such property.
std::optional<std::string> recipe_in_xmp(std::string_view packet);

}  // namespace affiche::recipes
