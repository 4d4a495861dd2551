// SPDX-License-Identifier: Apache-2.0
// The Unicode properties that the tokenizers need; the values are in generated sources. Every table
// is sorted by its first column.
#pragma once

#include <cstddef>
#include <cstdint>

namespace affiche::diffusion::unicode {

struct Range {
  char32_t first, last;
};
struct ClassRange {
  char32_t first, last;
  std::uint8_t combining_class;
};
// Every `stride`-th character from first to last has its lowercase at `distance`.
struct LowercaseRun {
  char32_t first, last;
  std::uint8_t stride;
  std::int32_t distance;
};
struct Pair {
  char32_t composed, first, second;
};
struct Single {
  char32_t composed, first;
};

extern const Range kLetters[];  // general category L*
extern const std::size_t kLettersCount;
extern const Range kNumbers[];  // general category N*
extern const std::size_t kNumbersCount;
extern const ClassRange kCombining[];  // classes other than 0
extern const std::size_t kCombiningCount;
extern const LowercaseRun kLowercase[];
extern const std::size_t kLowercaseCount;
extern const Pair kPairs[];  // canonical decompositions that NFC puts together again
extern const std::size_t kPairsCount;
extern const Pair kExcludedPairs[];  // and those that it does not
extern const std::size_t kExcludedPairsCount;
extern const Single kSingles[];  // canonical decompositions to one character
extern const std::size_t kSinglesCount;
extern const Range kJoining[];  // Grapheme_Cluster_Break Extend, SpacingMark and ZWJ
extern const std::size_t kJoiningCount;
extern const Range kControls[];  // Control, CR and LF
extern const std::size_t kControlsCount;
extern const Range kPrepended[];  // Prepend
extern const std::size_t kPrependedCount;

}  // namespace affiche::diffusion::unicode
