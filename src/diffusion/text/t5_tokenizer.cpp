// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/t5_tokenizer.h"

#include <algorithm>

#include "diffusion/text/unicode.h"

namespace affiche::diffusion {
namespace {

constexpr char32_t kWordBegin = 0x2581;

// Calls text(part) for what lies between the trie's tokens, and token(id) for each of them.
template <typename Text, typename Token>
void split(const TokenTrie& trie, std::u32string_view whole, Text&& text, Token&& token) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < whole.size();) {
    const TokenTrie::Match match = trie.longest(whole.substr(i));
    if (match.length == 0) {
      ++i;
      continue;
    }
    text(whole.substr(begin, i - begin));
    token(match.id);
    i += match.length;
    begin = i;
  }
  text(whole.substr(begin));
}

}  // namespace

std::vector<std::int64_t> T5Tokenizer::encode(std::string_view utf8, std::size_t max_length) const {
  Ids ids = text_ids(utf8);
  ids.resize(std::min(ids.size(), max_length - 1));
  ids.push_back(end_);
  ids.resize(max_length, pad_);
  return ids;
}

T5Tokenizer::Ids T5Tokenizer::text_ids(std::string_view utf8) const {
  Ids ids;
  const auto take = [&ids](std::int64_t id) { ids.push_back(id); };
  const auto plain = [&](std::u32string_view part) {
    const std::u32string normal = charsmap_ ? charsmap_->normalize(part) : std::u32string(part);
    split(
        normalized_, normal, [&](std::u32string_view words) { add_words(ids, words); }, take);
  };
  split(raw_, unicode::from_utf8(utf8, "the prompt"), plain, take);
  return ids;
}

void T5Tokenizer::add_words(Ids& ids, std::u32string_view text) const {
  for (std::size_t i = 0; i < text.size();) {
    if (unicode::is_space(text[i])) {
      ++i;
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && !unicode::is_space(text[end])) ++end;
    std::u32string word(text.substr(i, end - i));
    i = end;
    if (word.front() != kWordBegin) word.insert(word.begin(), kWordBegin);
    // The mark begins a word wherever it stands, also when it was in the text.
    for (std::size_t begin = 0; begin < word.size();) {
      const std::size_t next = std::min(word.find(kWordBegin, begin + 1), word.size());
      add_piece(ids, std::u32string_view(word).substr(begin, next - begin));
      begin = next;
    }
  }
}

// Viterbi's algorithm, with the order of additions and the ties of the tokenizers library.
void T5Tokenizer::add_piece(Ids& ids, std::u32string_view piece) const {
  struct Best {
    double score = 0;
    std::size_t begin = 0;
    std::int64_t id = -1;  // -1: not reached
  };
  std::vector<Best> best(piece.size() + 1);
  for (std::size_t begin = 0; begin < piece.size(); ++begin) {
    const double so_far = best[begin].score;
    const auto offer = [&](std::size_t length, double score, std::int64_t id) {
      Best& end = best[begin + length];
      if (end.id < 0 || so_far + score > end.score) end = {so_far + score, begin, id};
    };
    bool has_single = false;
    pieces_.each(piece.substr(begin), [&](const TokenTrie::Match& match) {
      offer(match.length, scores_[static_cast<std::size_t>(match.id)], match.id);
      has_single = has_single || match.length == 1;
    });
    if (!has_single) offer(1, unknown_score_, unknown_);
  }
  Ids backwards;
  for (std::size_t end = piece.size(); end > 0; end = best[end].begin) {
    // Unknown characters in a row are one token.
    const bool joins =
        !backwards.empty() && backwards.back() == unknown_ && best[end].id == unknown_;
    if (!joins) backwards.push_back(best[end].id);
  }
  ids.insert(ids.end(), backwards.rbegin(), backwards.rend());
}

}  // namespace affiche::diffusion
