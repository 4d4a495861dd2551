// SPDX-License-Identifier: Apache-2.0
#include "cards/even_breaks.h"

#include <glib.h>

#include <limits>

namespace affiche::cards {
namespace {

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kShortAtEnd = 0.2;  // of a mean line
constexpr double kTolerance = 0.5;   // pixels
constexpr double kLonely = 0.45;     // of the width: a single piece below it is no last line

// Sums over the pieces before an index.
struct Sums {
  std::vector<double> start;  // where a piece begins when all stand on one line
  std::vector<double> end;
};

Sums sums_of(const std::vector<Piece>& pieces) {
  Sums sums;
  double at = 0;
  for (const Piece& piece : pieces) {
    sums.start.push_back(at);
    sums.end.push_back(at + piece.width);
    at += piece.width + piece.space;
  }
  return sums;
}

// Hindi and its neighbours have postpositions, which belong to the word before.
bool has_prepositions(gunichar c) {
  switch (g_unichar_get_script(c)) {
    case G_UNICODE_SCRIPT_LATIN:
    case G_UNICODE_SCRIPT_CYRILLIC:
    case G_UNICODE_SCRIPT_GREEK:
    case G_UNICODE_SCRIPT_ARABIC:
    case G_UNICODE_SCRIPT_HEBREW:
      return true;
    default:
      return false;
  }
}

}  // namespace

bool is_short_word(const std::string& word) {
  constexpr int kMostLetters = 3;
  constexpr int kMostDigits = 2;
  int letters = 0;
  int digits = 0;
  for (const gchar* at = word.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    if (g_unichar_ismark(c) != 0) continue;
    const GUnicodeType type = g_unichar_type(c);
    if (type == G_UNICODE_DECIMAL_NUMBER || type == G_UNICODE_OTHER_NUMBER) {
      ++digits;
    } else if (g_unichar_isalpha(c) != 0 && has_prepositions(c)) {
      ++letters;
    } else {
      return false;
    }
  }
  return letters + digits > 0 && letters <= kMostLetters && digits <= kMostDigits;
}

std::vector<std::size_t> even_breaks(const std::vector<Piece>& pieces, int lines, double width) {
  const std::size_t count = pieces.size();
  const auto wanted = static_cast<std::size_t>(lines);
  if (lines < 2 || count < wanted) return {};
  const Sums sums = sums_of(pieces);
  const double mean = sums.end.back() / lines;
  // Pieces [from, to) on one line.
  const auto cost = [&](std::size_t from, std::size_t to) {
    const double length = sums.end[to - 1] - sums.start[from];
    if (length > width + kTolerance) return kNever;
    if (to == count && to - from == 1 && length < kLonely * width) return kNever;
    const double away = length - mean;
    const double end = to < count && pieces[to - 1].is_short ? kShortAtEnd * mean : 0;
    return away * away + end * end;
  };
  // best[k][i]: the least cost of the first i pieces on k lines; from[k][i]: where the last begins.
  std::vector best(wanted + 1, std::vector<double>(count + 1, kNever));
  std::vector from(wanted + 1, std::vector<std::size_t>(count + 1, 0));
  best[0][0] = 0;
  for (std::size_t k = 1; k <= wanted; ++k) {
    for (std::size_t to = k; to <= count; ++to) {
      for (std::size_t at = k - 1; at < to; ++at) {
        if (best[k - 1][at] == kNever) continue;
        const double now = best[k - 1][at] + cost(at, to);
        if (now >= best[k][to]) continue;
        best[k][to] = now;
        from[k][to] = at;
      }
    }
  }
  if (best[wanted][count] == kNever) return {};
  std::vector<std::size_t> breaks(wanted - 1);
  std::size_t to = count;
  for (std::size_t k = wanted; k > 1; --k) breaks[k - 2] = to = from[k][to];
  return breaks;
}

}  // namespace affiche::cards
