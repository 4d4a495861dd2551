// SPDX-License-Identifier: Apache-2.0
// The byte-level BPE tokenizer of CLIP, equal to the Rust-backed CLIPTokenizer of transformers:
// NFC, white space collapsed, lower case by code point, words of letters, single digits and runs of
// other marks, byte-pair merges with "</w>" at the end of a word.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "diffusion/text/token_trie.h"

namespace affiche::diffusion {

// Reading functions may run in several threads at once, as long as nobody calls set_added().
class CLIPTokenizer {
 public:
  // A token that is split off before the merges. `normalized`: looked for in the normalized text.
  struct Special {
    std::string content;
    bool normalized = false;
  };
  struct Options {
    Special bos{"<|startoftext|>", true};
    Special eos{"<|endoftext|>", true};
    Special unk{"<|endoftext|>", true};
    Special pad{"<|endoftext|>", false};
    std::vector<Special> others;
    std::int64_t model_max_length = 77;
  };
  // A word of textual inversion. It is found anywhere in the normalized text and becomes `count`
  // ids from `id` on, as diffusers does it: the prompt's "word" is replaced by "word word_1 …"
  // where it is spelled so, and each of these is a token of its own.
  struct Added {
    std::string content;
    std::int64_t id = 0;
    std::int64_t count = 1;
  };

  // vocab.json, merges.txt and, when present, tokenizer_config.json, special_tokens_map.json and
  // added_tokens.json of a diffusers folder. BadInput names the file and what is wrong with it.
  static CLIPTokenizer from_folder(const std::filesystem::path& folder);
  // The same from the files' contents, whatever they are; empty ones count as missing.
  struct Texts {
    std::string vocab, merges, tokenizer_config, special_tokens_map, added_tokens;
  };
  static CLIPTokenizer from_texts(const Texts& texts, const std::string& what);
  // `vocabulary` maps tokens to ids; `merges` is the text of a merges.txt. `what` names the source
  // in errors.
  CLIPTokenizer(const nlohmann::ordered_json& vocabulary, std::string_view merges,
                const Options& options, std::string what);

  // bos, the text's ids, eos, truncated and padded to exactly max_length (>= 2; 0: the model's).
  // BadInput when the text is not UTF-8.
  std::vector<std::int64_t> encode(std::string_view utf8, std::size_t max_length = 0) const;
  // Number of ids with bos and eos and without truncation or padding.
  std::size_t untruncated_length(std::string_view utf8) const;
  // The text's own ids, without bos, eos, truncation and padding.
  std::vector<std::int64_t> text_ids(std::string_view utf8) const;

  // Replaces all added words. Usage, and nothing changed: a word, or one of its "word_1", that is a
  // token already or is spelled like another up to case and white space; ids of the vocabulary.
  void set_added(std::vector<Added> words);
  const std::vector<Added>& added() const { return added_; }
  // The words of which the text has the first id without the others: diffusers' way of replacing
  // them sees neither words with capitals nor another spelling in the prompt.
  std::vector<std::string> cut_words(std::string_view utf8) const;

  // The id of a token as it stands in vocab.json, for instance ",</w>".
  std::optional<std::int64_t> find(const std::string& token) const;
  std::int64_t bos() const { return bos_; }
  std::int64_t eos() const { return eos_; }
  std::int64_t pad() const { return pad_; }
  std::size_t model_max_length() const { return model_max_length_; }
  // One more than the largest id.
  std::int64_t vocabulary_size() const { return vocabulary_size_; }

 private:
  struct Merge {
    std::int32_t rank;
    std::int64_t id;
  };
  using Ids = std::vector<std::int64_t>;

  static std::u32string normalize(std::u32string_view text);
  void read_merges(std::string_view merges);
  void add_special(const Special& special);
  std::int64_t id_of(const std::string& token) const;
  Ids ids_as_spelled(std::string_view utf8) const;
  std::string with_words_spelled_out(std::string_view utf8) const;
  void add_text(Ids& ids, std::u32string_view text) const;
  void add_plain(Ids& ids, std::u32string_view text) const;
  void add_word(Ids& ids, std::u32string_view word) const;
  void merge(Ids& ids) const;

  std::string what_;
  std::unordered_map<std::string, std::int64_t> ids_;
  std::unordered_map<std::uint64_t, Merge> merges_;  // by the two ids
  std::set<std::int64_t> special_ids_;
  TokenTrie raw_;         // special tokens that are looked for in the text as it is
  TokenTrie own_;         // and in the normalized text
  TokenTrie normalized_;  // own_ and the added words
  std::vector<Added> added_;
  std::int64_t bos_ = 0;
  std::int64_t eos_ = 0;
  std::int64_t pad_ = 0;
  std::int64_t unk_ = 0;
  std::size_t model_max_length_ = 77;
  std::int64_t vocabulary_size_ = 0;
};

}  // namespace affiche::diffusion
