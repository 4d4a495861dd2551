// SPDX-License-Identifier: Apache-2.0
// Where lines may break, by language (ICU). Pango breaks lines too, but knows no Khmer, Lao or
// Burmese words, and treats Japanese and Korean as if any two characters might be parted.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace affiche::cards {

// Whether anything in the text breaks otherwise than at spaces and hyphens.
bool breaks_by_language(const std::string& text);

enum class Breaking {
  Strict,   // kinsoku: no small kana, no closing mark begins a line
  Phrases,  // beside it: Japanese phrases, Chinese words and Korean words stay whole
};

// Byte positions in ascending order, without 0 and the end. Thread-safe.
std::vector<std::size_t> line_breaks(const std::string& text, const std::string& language,
                                     Breaking breaking);

// The positions at which Pango must be told: between letters of scripts without spaces.
std::vector<std::size_t> unseen_breaks(const std::string& text,
                                       const std::vector<std::size_t>& breaks);

// Where a word may be parted with a hyphen, by the dictionary of the language (hyphen-* packages);
// nothing when there is none. Words of fewer than six letters, in capitals, or with digits are left
// whole. Thread-safe.
std::vector<std::size_t> hyphenation_points(const std::string& text, const std::string& language);

}  // namespace affiche::cards
