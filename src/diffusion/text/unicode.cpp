// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/unicode.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

#include "base/error.h"
#include "diffusion/text/unicode_tables.h"

namespace affiche::diffusion::unicode {
namespace {

// Hangul syllables are composed by arithmetic (Unicode Standard, section 3.12).
constexpr char32_t kSyllables = 0xAC00;
constexpr char32_t kLeads = 0x1100;
constexpr char32_t kVowels = 0x1161;
constexpr char32_t kTrails = 0x11A7;
constexpr char32_t kLeadCount = 19;
constexpr char32_t kVowelCount = 21;
constexpr char32_t kTrailCount = 28;
constexpr char32_t kSyllableCount = kLeadCount * kVowelCount * kTrailCount;

// The last row whose first column is not greater than `c`; nullptr when there is none.
template <typename Row>
const Row* row_at(const Row* rows, std::size_t count, char32_t Row::*key, char32_t c) {
  const Row* after = std::upper_bound(
      rows, rows + count, c, [key](char32_t value, const Row& row) { return value < row.*key; });
  return after == rows ? nullptr : after - 1;
}

bool contains(const Range* rows, std::size_t count, char32_t c) {
  const Range* row = row_at(rows, count, &Range::first, c);
  return row != nullptr && c <= row->last;
}

std::uint8_t combining_class(char32_t c) {
  const ClassRange* row = row_at(kCombining, kCombiningCount, &ClassRange::first, c);
  return row != nullptr && c <= row->last ? row->combining_class : std::uint8_t{0};
}

const Pair* pair_of(const Pair* rows, std::size_t count, char32_t c) {
  const Pair* row = row_at(rows, count, &Pair::composed, c);
  return row != nullptr && row->composed == c ? row : nullptr;
}

void decompose(std::u32string& out, char32_t c) {
  if (c >= kSyllables && c < kSyllables + kSyllableCount) {
    const char32_t index = c - kSyllables;
    out.push_back(kLeads + index / (kVowelCount * kTrailCount));
    out.push_back(kVowels + index % (kVowelCount * kTrailCount) / kTrailCount);
    if (index % kTrailCount != 0) out.push_back(kTrails + index % kTrailCount);
    return;
  }
  const Pair* pair = pair_of(kPairs, kPairsCount, c);
  if (pair == nullptr) pair = pair_of(kExcludedPairs, kExcludedPairsCount, c);
  if (pair != nullptr) {
    decompose(out, pair->first);
    out.push_back(pair->second);
    return;
  }
  const Single* single = row_at(kSingles, kSinglesCount, &Single::composed, c);
  if (single != nullptr && single->composed == c) return decompose(out, single->first);
  out.push_back(c);
}

// Marks in a row are sorted by their class; equal classes keep their order.
void order_marks(std::u32string& text) {
  for (std::size_t i = 0; i < text.size();) {
    std::size_t end = i;
    while (end < text.size() && combining_class(text[end]) != 0) ++end;
    if (end - i > 1) {
      std::stable_sort(text.begin() + static_cast<std::ptrdiff_t>(i),
                       text.begin() + static_cast<std::ptrdiff_t>(end), [](char32_t a, char32_t b) {
                         return combining_class(a) < combining_class(b);
                       });
    }
    i = end + 1;
  }
}

// 0 when the two do not compose.
char32_t compose(char32_t first, char32_t second) {
  static const std::map<std::pair<char32_t, char32_t>, char32_t> kComposed = [] {
    std::map<std::pair<char32_t, char32_t>, char32_t> all;
    for (const Pair& pair : std::span(kPairs, kPairsCount)) {
      all.emplace(std::pair(pair.first, pair.second), pair.composed);
    }
    return all;
  }();
  if (first >= kLeads && first < kLeads + kLeadCount && second >= kVowels &&
      second < kVowels + kVowelCount) {
    return kSyllables + ((first - kLeads) * kVowelCount + (second - kVowels)) * kTrailCount;
  }
  if (first >= kSyllables && first < kSyllables + kSyllableCount &&
      (first - kSyllables) % kTrailCount == 0 && second > kTrails &&
      second < kTrails + kTrailCount) {
    return first + (second - kTrails);
  }
  const auto found = kComposed.find({first, second});
  return found == kComposed.end() ? char32_t{0} : found->second;
}

}  // namespace

std::u32string from_utf8(std::string_view text, std::string_view what) {
  std::u32string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC2 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 0;
    bool valid = length != 0 && i + length <= text.size();
    char32_t c = length == 1 ? lead : lead & (0x7Fu >> length);
    for (std::size_t k = 1; valid && k < length; ++k) {
      const auto next = static_cast<unsigned char>(text[i + k]);
      valid = (next & 0xC0) == 0x80;
      c = c << 6 | (next & 0x3Fu);
    }
    valid = valid && !(length == 3 && c < 0x800) && !(length == 4 && c < 0x10000) &&
            c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF);
    if (!valid) fail(Cause::BadInput, what, ": expected UTF-8, found an invalid byte at ", i);
    out.push_back(c);
    i += length;
  }
  return out;
}

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xC0 | c >> 6);
    put(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    put(0xE0 | c >> 12);
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  } else {
    put(0xF0 | c >> 18);
    put(0x80 | (c >> 12 & 0x3F));
    put(0x80 | (c >> 6 & 0x3F));
    put(0x80 | (c & 0x3F));
  }
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append_utf8(out, c);
  return out;
}

bool is_letter(char32_t c) {
  return contains(kLetters, kLettersCount, c);
}
bool is_number(char32_t c) {
  return contains(kNumbers, kNumbersCount, c);
}

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

std::u32string nfc(std::u32string_view text) {
  std::u32string marks;
  for (const char32_t c : text) decompose(marks, c);
  order_marks(marks);
  std::u32string out;
  out.reserve(marks.size());
  std::size_t starter = 0;  // one past its place in `out`; 0: none yet
  int last_class = -1;      // of what was put after the starter; -1: nothing
  for (const char32_t c : marks) {
    const int own_class = combining_class(c);
    // A character between with the same or a higher class, or a starter, blocks the composition.
    if (starter != 0 && last_class < own_class) {
      const char32_t composed = compose(out[starter - 1], c);
      if (composed != 0) {
        out[starter - 1] = composed;
        continue;
      }
    }
    out.push_back(c);
    if (own_class == 0) {
      starter = out.size();
      last_class = -1;
    } else {
      last_class = own_class;
    }
  }
  return out;
}

std::u32string lowercase(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (c == 0x130) {
      out += U"i\u0307";
      continue;
    }
    const LowercaseRun* run = row_at(kLowercase, kLowercaseCount, &LowercaseRun::first, c);
    const bool inside = run != nullptr && c <= run->last && (c - run->first) % run->stride == 0;
    out.push_back(inside ? static_cast<char32_t>(static_cast<std::int64_t>(c) + run->distance) : c);
  }
  return out;
}

std::size_t cluster_length(std::u32string_view text) {
  if (text.starts_with(U"\r\n")) return 2;
  const auto is_control = [](char32_t c) { return contains(kControls, kControlsCount, c); };
  std::size_t length = std::min<std::size_t>(text.size(), 1);
  while (length > 0 && length < text.size()) {
    const char32_t last = text[length - 1], next = text[length];
    if (is_control(last) || is_control(next)) break;
    if (!contains(kJoining, kJoiningCount, next) && !contains(kPrepended, kPrependedCount, last)) {
      break;
    }
    ++length;
  }
  return length;
}

}  // namespace affiche::diffusion::unicode
