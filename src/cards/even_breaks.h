// SPDX-License-Identifier: Apache-2.0
// Where a headline is broken so that its lines look alike.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace affiche::cards {

// What stays on one line: a word as a rule.
struct Piece {
  std::size_t to = 0;    // the byte after it
  std::size_t next = 0;  // the byte where the next one begins, behind the spaces
  double width = 0;      // pixels
  double space = 0;      // of the spaces behind it
  bool is_short = false;
};

// An article, a preposition or the like, which reads better at the beginning of the next line: at
// most three letters of a script whose languages have such words, or a number of two digits, and no
// punctuation.
bool is_short_word(const std::string& word);

// The indices of the pieces that begin the second and later of exactly `lines` lines, each at most
// `width` pixels: those with the least squared difference from their mean, where a short word at a
// line's end counts like a fifth of a line. Empty when there are none, and when a single short
// piece would stand on the last line.
std::vector<std::size_t> even_breaks(const std::vector<Piece>& pieces, int lines, double width);

}  // namespace affiche::cards
