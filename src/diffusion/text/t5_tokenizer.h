// SPDX-License-Identifier: Apache-2.0
// The unigram tokenizer of T5, equal to the Rust-backed T5Tokenizer of transformers 5: the
// SentencePiece model's normalization, white space splits words, each begins with U+2581, and the
// likeliest pieces of the vocabulary cover it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diffusion/text/precompiled_charsmap.h"
#include "diffusion/text/token_trie.h"

namespace affiche::diffusion {

// Immutable; any thread.
class T5Tokenizer {
 public:
  // tokenizer.json and, when present, tokenizer_config.json of a diffusers folder. BadInput names
  // the file and what is wrong with it or not built.
  static T5Tokenizer from_folder(const std::filesystem::path& folder);
  // The same from the files' contents, whatever they are; an empty config counts as missing.
  static T5Tokenizer from_texts(std::string_view tokenizer_json, std::string_view tokenizer_config,
                                const std::string& what);

  // The text's ids and the end token, truncated and padded to exactly max_length (>= 1). BadInput
  // when the text is not UTF-8.
  std::vector<std::int64_t> encode(std::string_view utf8, std::size_t max_length) const;
  // Number of ids with the end token and without truncation or padding.
  std::size_t untruncated_length(std::string_view utf8) const { return text_ids(utf8).size() + 1; }
  // One more than the largest id.
  std::int64_t vocabulary_size() const { return vocabulary_size_; }

 private:
  using Ids = std::vector<std::int64_t>;

  explicit T5Tokenizer(std::string what) : what_(std::move(what)) {}
  void read_model(const nlohmann::ordered_json& model);
  void read_added(const nlohmann::ordered_json& tokens);
  void read_normalizer(const nlohmann::ordered_json& normalizer);
  void check_splitting(const nlohmann::ordered_json& pre_tokenizer) const;
  std::int64_t id_of(const std::string& token) const;

  Ids text_ids(std::string_view utf8) const;
  void add_words(Ids& ids, std::u32string_view text) const;
  void add_piece(Ids& ids, std::u32string_view piece) const;

  std::string what_;
  TokenTrie pieces_;
  std::vector<double> scores_;  // logarithms of probabilities, by id
  double unknown_score_ = 0;
  std::int64_t unknown_ = 0, end_ = 0, pad_ = 0;
  TokenTrie raw_;         // added tokens that are looked for in the text as it is
  TokenTrie normalized_;  // and in the normalized text
  std::optional<PrecompiledCharsmap> charsmap_;
  std::int64_t vocabulary_size_ = 0;
};

}  // namespace affiche::diffusion
