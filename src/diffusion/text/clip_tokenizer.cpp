// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/clip_tokenizer.h"

#include <algorithm>
#include <array>
#include <queue>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/text/unicode.h"

namespace affiche::diffusion {
namespace {

constexpr std::string_view kWordEnd = "</w>";
constexpr std::int64_t kLargestId = 1 << 24;
constexpr std::size_t kLongestSpecial = 1024;
constexpr std::size_t kLongestText = std::size_t{1} << 20;

// GPT-2's printable stand-in of every byte, in UTF-8: printable Latin-1 characters stand for
// themselves, the others for U+0100 and up in order.
std::array<std::string, 256> make_byte_letters() {
  std::array<std::string, 256> letters;
  char32_t next = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xAC) ||
                           (byte >= 0xAE && byte <= 0xFF);
    unicode::append_utf8(letters[byte], printable ? byte : next++);
  }
  return letters;
}

std::uint64_t pair_key(std::int64_t left, std::int64_t right) {
  return static_cast<std::uint64_t>(left) << 32 | static_cast<std::uint64_t>(right);
}

std::u32string collapse_spaces(std::u32string_view text) {
  std::u32string out;
  bool in_space = false;
  for (const char32_t c : text) {
    const bool space = unicode::is_space(c);
    if (!space) out.push_back(c);
    if (space && !in_space) out.push_back(U' ');
    in_space = space;
  }
  return out;
}

bool is_mark(char32_t c) {
  return !unicode::is_space(c) && !unicode::is_letter(c) && !unicode::is_number(c);
}

// Length of 's, 't, 're, 've, 'm, 'll or 'd at the start of `text`; 0 when there is none.
std::size_t contraction(std::u32string_view text) {
  for (const std::u32string_view ending : {U"'s", U"'t", U"'re", U"'ve", U"'m", U"'ll", U"'d"}) {
    if (text.starts_with(ending)) return ending.size();
  }
  return 0;
}

// Length of the word at the start of `text`, which does not start with white space.
std::size_t word_length(std::u32string_view text) {
  if (const std::size_t length = contraction(text)) return length;
  if (unicode::is_number(text[0])) return 1;
  const bool letters = unicode::is_letter(text[0]);
  std::size_t length = 1;
  while (length < text.size() &&
         (letters ? unicode::is_letter(text[length]) : is_mark(text[length]))) {
    ++length;
  }
  return length;
}

}  // namespace

CLIPTokenizer::CLIPTokenizer(const Json& vocabulary, std::string_view merges,
                             const Options& options, std::string what)
    : what_(std::move(what)) {
  if (!vocabulary.is_object() || vocabulary.empty()) {
    fail(Cause::BadInput, what_, ": expected an object of tokens and ids in the vocabulary");
  }
  ids_.reserve(vocabulary.size());
  for (const auto& [token, id] : vocabulary.items()) {
    if (!id.is_number_integer() || id.get<std::int64_t>() < 0 ||
        id.get<std::int64_t>() > kLargestId) {
      fail(Cause::BadInput, what_, ": the token \"", token, "\" has no valid id: ", id.dump());
    }
    ids_.emplace(token, id.get<std::int64_t>());
    vocabulary_size_ = std::max(vocabulary_size_, id.get<std::int64_t>() + 1);
  }
  read_merges(merges);
  bos_ = id_of(options.bos.content);
  eos_ = id_of(options.eos.content);
  pad_ = id_of(options.pad.content);
  unk_ = id_of(options.unk.content);
  if (options.model_max_length < 2) {
    fail(Cause::BadInput, what_, ": expected model_max_length of at least 2, found ",
         options.model_max_length);
  }
  model_max_length_ = static_cast<std::size_t>(options.model_max_length);
  for (const Special& special : {options.bos, options.eos, options.unk, options.pad}) {
    add_special(special);
  }
  for (const Special& special : options.others) add_special(special);
  normalized_ = own_;
}

std::u32string CLIPTokenizer::normalize(std::u32string_view text) {
  return unicode::lowercase(collapse_spaces(unicode::nfc(text)));
}

std::int64_t CLIPTokenizer::id_of(const std::string& token) const {
  const auto found = ids_.find(token);
  if (found == ids_.end()) {
    fail(Cause::BadInput, what_, ": the token \"", token, "\" is not in the vocabulary");
  }
  return found->second;
}

std::optional<std::int64_t> CLIPTokenizer::find(const std::string& token) const {
  const auto found = ids_.find(token);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

void CLIPTokenizer::read_merges(std::string_view merges) {
  std::int32_t rank = 0;
  while (!merges.empty()) {
    const std::size_t end = std::min(merges.find('\n'), merges.size());
    std::string_view line = merges.substr(0, end);
    merges.remove_prefix(std::min(end + 1, merges.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos || line.find(' ', space + 1) != std::string_view::npos) {
      fail(Cause::BadInput, what_, ": merge ", rank + 1, ": expected two tokens, found \"", line,
           "\"");
    }
    const std::string left(line.substr(0, space));
    const std::string right(line.substr(space + 1));
    merges_.emplace(pair_key(id_of(left), id_of(right)), Merge{rank, id_of(left + right)});
    ++rank;
  }
}

void CLIPTokenizer::add_special(const Special& special) {
  // The limit keeps a hostile file from growing the trie beyond its own size many times over.
  if (special.content.empty() || special.content.size() > kLongestSpecial) {
    fail(Cause::BadInput, what_, ": expected special tokens of 1 to ", kLongestSpecial,
         " bytes, found one of ", special.content.size());
  }
  const std::int64_t id = id_of(special.content);
  const std::u32string content = unicode::from_utf8(special.content, what_);
  // The first definition of a token counts.
  if (!special_ids_.insert(id).second) return;
  if (special.normalized) {
    own_.add(normalize(content), id);
  } else {
    raw_.add(content, id);
  }
}

std::vector<std::int64_t> CLIPTokenizer::encode(std::string_view utf8,
                                                std::size_t max_length) const {
  if (max_length == 0) max_length = model_max_length_;
  if (max_length < 2) fail(Cause::Usage, what_, ": expected a length of at least 2 ids");
  Ids ids{bos_};
  const Ids inner = text_ids(utf8);
  const std::size_t kept = std::min(inner.size(), max_length - 2);
  ids.insert(ids.end(), inner.begin(), inner.begin() + static_cast<std::ptrdiff_t>(kept));
  ids.push_back(eos_);
  ids.resize(max_length, pad_);
  return ids;
}

std::size_t CLIPTokenizer::untruncated_length(std::string_view utf8) const {
  return text_ids(utf8).size() + 2;
}

namespace {

// Calls `between` with the text outside the tokens of `trie` and `found` with each of their ids.
template <typename Between, typename Found>
void split(std::u32string_view text, const TokenTrie& trie, Between between, Found found) {
  std::size_t start = 0;
  for (std::size_t i = 0; i < text.size();) {
    const TokenTrie::Match match = trie.longest(text.substr(i));
    if (match.length == 0) {
      ++i;
      continue;
    }
    between(text.substr(start, i - start));
    found(match.id);
    i += match.length;
    start = i;
  }
  between(text.substr(start));
}

}  // namespace

std::vector<std::int64_t> CLIPTokenizer::text_ids(std::string_view utf8) const {
  return added_.empty() ? ids_as_spelled(utf8) : ids_as_spelled(with_words_spelled_out(utf8));
}

CLIPTokenizer::Ids CLIPTokenizer::ids_as_spelled(std::string_view utf8) const {
  if (utf8.size() > kLongestText) {
    fail(Cause::BadInput, "prompt: expected at most ", kLongestText, " bytes, found ", utf8.size());
  }
  Ids ids;
  const std::u32string text = unicode::from_utf8(utf8, "prompt");
  split(
      std::u32string_view(text), raw_, [&](std::u32string_view piece) { add_text(ids, piece); },
      [&](std::int64_t id) { ids.push_back(id); });
  return ids;
}

void CLIPTokenizer::add_text(Ids& ids, std::u32string_view text) const {
  const std::u32string normal = normalize(text);
  split(
      std::u32string_view(normal), normalized_,
      [&](std::u32string_view piece) { add_plain(ids, piece); },
      [&](std::int64_t id) { ids.push_back(id); });
}

void CLIPTokenizer::add_plain(Ids& ids, std::u32string_view text) const {
  while (!text.empty()) {
    if (unicode::is_space(text[0])) {
      text.remove_prefix(1);
      continue;
    }
    const std::size_t length = word_length(text);
    add_word(ids, text.substr(0, length));
    text.remove_prefix(length);
  }
}

void CLIPTokenizer::add_word(Ids& ids, std::u32string_view word) const {
  static const std::array<std::string, 256> kByteLetters = make_byte_letters();
  const std::string bytes = unicode::to_utf8(word);
  Ids letters;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    std::string letter = kByteLetters[static_cast<unsigned char>(bytes[i])];
    if (i + 1 == bytes.size()) letter += kWordEnd;
    const auto found = ids_.find(letter);
    letters.push_back(found == ids_.end() ? unk_ : found->second);
  }
  merge(letters);
  ids.insert(ids.end(), letters.begin(), letters.end());
}

// Always merges the pair of the lowest rank, the leftmost of equals. The queue holds candidates,
// some of them stale: a candidate counts only while its pair still stands there.
void CLIPTokenizer::merge(Ids& ids) const {
  struct Candidate {
    std::int32_t rank;
    std::size_t left;
    std::uint64_t key;
    std::int64_t id;
    bool operator<(const Candidate& other) const {
      return rank != other.rank ? rank > other.rank : left > other.left;
    }
  };
  const std::size_t none = ids.size();
  std::vector<std::size_t> next(ids.size()), previous(ids.size());
  std::vector<bool> gone(ids.size(), false);
  std::priority_queue<Candidate> queue;
  const auto consider = [&](std::size_t left, std::size_t right) {
    const std::uint64_t key = pair_key(ids[left], ids[right]);
    const auto found = merges_.find(key);
    if (found != merges_.end()) queue.push({found->second.rank, left, key, found->second.id});
  };
  for (std::size_t i = 0; i < ids.size(); ++i) {
    next[i] = i + 1;
    previous[i] = i == 0 ? none : i - 1;
    if (i + 1 < ids.size()) consider(i, i + 1);
  }
  while (!queue.empty()) {
    const Candidate best = queue.top();
    queue.pop();
    const std::size_t left = best.left;
    if (gone[left] || next[left] == none) continue;
    const std::size_t right = next[left];
    if (pair_key(ids[left], ids[right]) != best.key) continue;
    ids[left] = best.id;
    gone[right] = true;
    next[left] = next[right];
    if (next[left] != none) {
      previous[next[left]] = left;
      consider(left, next[left]);
    }
    if (previous[left] != none) consider(previous[left], left);
  }
  std::size_t kept = 0;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    if (!gone[i]) ids[kept++] = ids[i];
  }
  ids.resize(kept);
}

}  // namespace affiche::diffusion
