// SPDX-License-Identifier: Apache-2.0
// The normalization of a SentencePiece model as its file carries it: a table of replacements, for
// instance NMT-NFKC.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace affiche::diffusion {

// Immutable; any thread.
class PrecompiledCharsmap {
 public:
  // `bytes`: the size of a double-array trie in bytes (32 bits, little endian), its units of 32
  // bits, and the replacements, each ended by a zero. BadInput, naming `what`, when it is damaged.
  PrecompiledCharsmap(std::string_view bytes, std::string what);

  // As the tokenizers library (0.23) does it, number for number: a grapheme cluster of fewer than
  // six bytes is replaced as a whole by what the shortest match at its start stands for; other
  // clusters character by character; what the table lacks stays. BadInput for a table that leads
  // outside of itself or to a replacement that is not UTF-8.
  std::u32string normalize(std::u32string_view text) const;

 private:
  std::optional<std::u32string> replacement(std::string_view utf8) const;
  std::uint32_t unit(std::uint32_t node) const;

  std::string what_;
  std::vector<std::uint32_t> units_;
  std::string replacements_;
};

}  // namespace affiche::diffusion
