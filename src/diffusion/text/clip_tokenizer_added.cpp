// SPDX-License-Identifier: Apache-2.0
// Words of textual inversion in the tokenizer: diffusers' add_tokens and maybe_convert_prompt.
#include <algorithm>

#include "base/error.h"
#include "diffusion/text/clip_tokenizer.h"
#include "diffusion/text/unicode.h"

namespace affiche::diffusion {
namespace {

constexpr std::size_t kLongestWord = 256;
constexpr std::int64_t kMostVectors = 1024;

std::string part_of_word(const CLIPTokenizer::Added& word, std::int64_t index) {
  return index == 0 ? word.content : concat(word.content, "_", index);
}

}  // namespace

void CLIPTokenizer::set_added(std::vector<Added> words) {
  TokenTrie trie = own_;
  std::set<std::u32string> spellings;
  for (const Added& word : words) {
    if (word.content.empty() || word.content.size() > kLongestWord || word.count < 1 ||
        word.count > kMostVectors || word.id < vocabulary_size_) {
      fail(Cause::BadInput, "token \"", word.content.substr(0, kLongestWord), "\": expected 1 to ",
           kLongestWord, " bytes, 1 to ", kMostVectors, " vectors and ids from ", vocabulary_size_,
           ", found ", word.content.size(), " bytes, ", word.count, " vectors, id ", word.id);
    }
    for (std::int64_t i = 0; i < word.count; ++i) {
      const std::string part = part_of_word(word, i);
      const std::u32string spelling = normalize(unicode::from_utf8(part, "token"));
      if (ids_.contains(part)) {
        fail(Cause::BadInput, "token \"", part,
             "\": the tokenizer has a token of this name; give the file another token");
      }
      if (spelling.empty() || spelling == U" " || !spellings.insert(spelling).second) {
        fail(Cause::BadInput, "token \"", part,
             "\": expected a name that differs from all others in more than case and white space; "
             "give the file another token");
      }
      trie.add(spelling, word.id + i);
    }
  }
  normalized_ = std::move(trie);
  added_ = std::move(words);
}

// A word is replaced where the prompt spells it exactly so, and only if the tokenizer finds it and
// the word is in normal form: transformers returns the normal form of what it found, and diffusers
// looks for that among the words. All words are replaced in one pass, the longest first; where one
// word is part of another, diffusers' result depends on the order of a Python set.
std::string CLIPTokenizer::with_words_spelled_out(std::string_view utf8) const {
  const Ids ids = ids_as_spelled(utf8);
  const std::set<std::int64_t> found(ids.begin(), ids.end());
  TokenTrie trie;
  bool any = false;
  for (std::size_t i = 0; i < added_.size(); ++i) {
    const Added& word = added_[i];
    if (word.count == 1 || !found.contains(word.id)) continue;
    const std::u32string content = unicode::from_utf8(word.content, "token");
    if (normalize(content) != content) continue;
    trie.add(content, static_cast<std::int64_t>(i));
    any = true;
  }
  if (!any) return std::string(utf8);
  const std::u32string text = unicode::from_utf8(utf8, "prompt");
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const TokenTrie::Match match = trie.longest(std::u32string_view(text).substr(at));
    if (match.length == 0) {
      unicode::append_utf8(out, text[at++]);
      continue;
    }
    const Added& word = added_[static_cast<std::size_t>(match.id)];
    for (std::int64_t i = 0; i < word.count; ++i) {
      if (i > 0) out += ' ';
      out += part_of_word(word, i);
    }
    at += match.length;
  }
  return out;
}

std::vector<std::string> CLIPTokenizer::cut_words(std::string_view utf8) const {
  std::vector<std::string> cut;
  if (added_.empty()) return cut;
  const Ids ids = text_ids(utf8);
  for (const Added& word : added_) {
    for (std::size_t i = 0; i < ids.size() && word.count > 1; ++i) {
      if (ids[i] != word.id || (i + 1 < ids.size() && ids[i + 1] == word.id + 1)) continue;
      cut.push_back(word.content);
      break;
    }
  }
  return cut;
}

}  // namespace affiche::diffusion
