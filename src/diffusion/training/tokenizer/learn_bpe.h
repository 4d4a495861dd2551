// SPDX-License-Identifier: Apache-2.0
// Learns the byte-pair vocabulary of a small CLIP-style tokenizer from captions and writes the
// files that transformers' CLIPTokenizer reads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace affiche::diffusion {

// tokens in id order: 256 byte letters, the same with "</w>", one per merge, then the two markers
// <|startoftext|> and <|endoftext|>. Byte letters are GPT-2's printable stand-ins, in UTF-8.
struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<std::pair<std::string, std::string>> merges;
};

// Merges the most frequent neighbours (ties: the smaller pair) until `most_merges` are made or
// every word is one token. Words are runs of letters of the lower-cased captions, single digits,
// and runs of other marks, as CLIP splits ASCII text.
Vocabulary learn_bpe(std::span<const std::string> captions, std::size_t most_merges);

// Writes vocab.json, merges.txt, tokenizer_config.json and special_tokens_map.json.
void write_tokenizer(const std::filesystem::path& folder, const Vocabulary& vocabulary,
                     int max_length);

}  // namespace affiche::diffusion
