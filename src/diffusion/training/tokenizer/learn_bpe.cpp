// SPDX-License-Identifier: Apache-2.0
// Byte-pair learning (Sennrich et al. 2016) in the layout of OpenAI's CLIP.
#include "diffusion/training/tokenizer/learn_bpe.h"

#include <cctype>
#include <map>

#include "base/files.h"
#include "base/json.h"

namespace affiche::diffusion {
namespace {

using Pair = std::pair<std::string, std::string>;
using Word = std::vector<std::string>;

std::string utf8(unsigned code) {
  if (code < 0x80) return {static_cast<char>(code)};
  return {static_cast<char>(0xC0 | (code >> 6)), static_cast<char>(0x80 | (code & 0x3F))};
}

bool prints(unsigned byte) {
  return (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
}

// GPT-2's table from byte to letter: printable bytes stand for themselves, the others for the
// letters from U+0100 on.
std::vector<std::string> letters_by_byte() {
  std::vector<std::string> letters(256);
  unsigned next = 256;
  for (unsigned byte = 0; byte < 256; ++byte) letters[byte] = utf8(prints(byte) ? byte : next++);
  return letters;
}

enum class Kind { Space, Letter, Digit, Mark };

Kind kind_of(char c) {
  const auto byte = static_cast<unsigned char>(c);
  if (std::isspace(byte)) return Kind::Space;
  if (std::isalpha(byte) || byte >= 0x80) return Kind::Letter;
  return std::isdigit(byte) ? Kind::Digit : Kind::Mark;
}

std::map<std::string, std::uint64_t> count_words(std::span<const std::string> captions) {
  std::map<std::string, std::uint64_t> counts;
  for (const std::string& caption : captions) {
    std::string word;
    Kind before = Kind::Space;
    for (const char c : caption) {
      const Kind kind = kind_of(c);
      if ((kind != before || kind == Kind::Digit) && !word.empty())
        ++counts[std::exchange(word, {})];
      if (kind != Kind::Space)
        word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      before = kind;
    }
    if (!word.empty()) ++counts[word];
  }
  return counts;
}

std::vector<std::pair<Word, std::uint64_t>> spelled(std::span<const std::string> captions) {
  const std::vector<std::string> letters = letters_by_byte();
  std::vector<std::pair<Word, std::uint64_t>> words;
  for (const auto& [text, count] : count_words(captions)) {
    Word word;
    for (const char c : text) word.push_back(letters[static_cast<unsigned char>(c)]);
    word.back() += "</w>";
    words.emplace_back(std::move(word), count);
  }
  return words;
}

void merge(Word& word, const Pair& pair) {
  Word merged;
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool joins = i + 1 < word.size() && word[i] == pair.first && word[i + 1] == pair.second;
    merged.push_back(joins ? pair.first + pair.second : word[i]);
    if (joins) ++i;
  }
  word = std::move(merged);
}

}  // namespace

Vocabulary learn_bpe(std::span<const std::string> captions, std::size_t most_merges) {
  Vocabulary vocabulary;
  // Ids follow the table's order in CLIP: printable bytes first, then the others.
  const std::vector<std::string> letters = letters_by_byte();
  for (const bool printable : {true, false})
    for (unsigned byte = 0; byte < 256; ++byte)
      if (prints(byte) == printable) vocabulary.tokens.push_back(letters[byte]);
  for (std::size_t i = 0; i < 256; ++i) vocabulary.tokens.push_back(vocabulary.tokens[i] + "</w>");

  auto words = spelled(captions);
  while (vocabulary.merges.size() < most_merges) {
    std::map<Pair, std::uint64_t> counts;
    for (const auto& [word, count] : words)
      for (std::size_t i = 0; i + 1 < word.size(); ++i) counts[{word[i], word[i + 1]}] += count;
    if (counts.empty()) break;
    auto best = counts.begin();
    for (auto it = counts.begin(); it != counts.end(); ++it)
      if (it->second > best->second) best = it;
    for (auto& entry : words) merge(entry.first, best->first);
    vocabulary.tokens.push_back(best->first.first + best->first.second);
    vocabulary.merges.push_back(best->first);
  }
  vocabulary.tokens.insert(vocabulary.tokens.end(), {"<|startoftext|>", "<|endoftext|>"});
  return vocabulary;
}

void write_tokenizer(const std::filesystem::path& folder, const Vocabulary& vocabulary,
                     int max_length) {
  Json ids = Json::object();
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) ids[vocabulary.tokens[id]] = id;
  std::string merges = "#version: 0.2\n";
  for (const auto& [left, right] : vocabulary.merges) merges += left + " " + right + "\n";
  const auto marker = [](const char* text) {
    return Json{{"content", text},
                {"lstrip", false},
                {"normalized", true},
                {"rstrip", false},
                {"single_word", false}};
  };
  const Json special = {{"bos_token", marker("<|startoftext|>")},
                        {"eos_token", marker("<|endoftext|>")},
                        {"pad_token", "<|endoftext|>"},
                        {"unk_token", marker("<|endoftext|>")}};
  Json config = {{"add_prefix_space", false},
                 {"do_lower_case", true},
                 {"errors", "replace"},
                 {"model_max_length", max_length},
                 {"tokenizer_class", "CLIPTokenizer"}};
  config.update(special);
  write_atomically(folder / "vocab.json", ids.dump());
  write_atomically(folder / "merges.txt", merges);
  write_atomically(folder / "tokenizer_config.json", config.dump(2) + "\n");
  write_atomically(folder / "special_tokens_map.json", special.dump(2) + "\n");
}

}  // namespace affiche::diffusion
