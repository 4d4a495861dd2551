// SPDX-License-Identifier: Apache-2.0
#include "photos/search.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <tuple>

namespace affiche::photos {
namespace {

// English and German words that say nothing about a picture; sorted.
constexpr std::array<std::string_view, 32> kStopWords = {
    "a",     "an",      "and", "are", "as",   "at",  "by",   "das",     "der", "die", "ein",
    "for",   "from",    "im",  "in",  "into", "is",  "it",   "mit",     "of",  "on",  "or",
    "photo", "picture", "the", "to",  "und",  "von", "with", "without", "zum", "zur"};
static_assert(std::is_sorted(kStopWords.begin(), kStopWords.end()));

// U+00C0 … U+017F without accents, one entry a code point; '-' where there is no letter.
constexpr std::string_view kFolded =
    "aaaaaaaceeeeiiiidnooooo-ouuuuytsaaaaaaaceeeeiiiidnooooo-ouuuuyty"
    "aaaaaaccccccccddddeeeeeeeeeegggggggghhhhiiiiiiiiiiiijjkkklllllll"
    "lllnnnnnnnnnoooooooorrrrrrssssssssttttttuuuuuuuuuuuuwwyyyzzzzzzs";
static_assert(kFolded.size() == 0x180 - 0xc0);

// Lower case without accents for Latin, lower case for Cyrillic; other scripts stay as they are.
// A space stands for everything that separates words. Malformed UTF-8 passes through.
std::string fold(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte < 0x80) {
      const bool letter = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
      const bool digit = byte >= '0' && byte <= '9';
      out.push_back(letter  ? static_cast<char>(byte | 0x20)
                    : digit ? static_cast<char>(byte)
                            : ' ');
      continue;
    }
    if (byte >= 0xc0 && byte < 0xe0 && i + 1 < text.size()) {
      const unsigned code = (byte & 0x1fu) << 6 | (static_cast<unsigned char>(text[++i]) & 0x3fu);
      if (code < 0xc0) {
        out.push_back(' ');
      } else if (code < 0x180) {
        const char base = kFolded[code - 0xc0];
        out += code == 0xdf ? "ss" : std::string(1, base == '-' ? ' ' : base);
      } else {
        const unsigned lowered = code >= 0x410 && code <= 0x42f   ? code + 0x20
                                 : code >= 0x400 && code <= 0x40f ? code + 0x50
                                                                  : code;
        out.push_back(static_cast<char>(0xc0 | lowered >> 6));
        out.push_back(static_cast<char>(0x80 | (lowered & 0x3f)));
      }
      continue;
    }
    // U+2000 … U+206F is punctuation: dashes, quotes, ellipsis.
    if (byte == 0xe2 && i + 2 < text.size() &&
        (static_cast<unsigned char>(text[i + 1]) & 0xfe) == 0x80) {
      out.push_back(' ');
      i += 2;
      continue;
    }
    out.push_back(text[i]);
  }
  return out;
}

// "flowers" and "flower", "dunes" and "dune"; "grass" and "bus" keep their s.
void cut_plural(std::string& word) {
  if (word.size() > 3 && word.back() == 's' && word[word.size() - 2] != 's') word.pop_back();
}

// FNV-1a, 64 bits: only spreads, nothing depends on its strength.
std::uint64_t spread(std::string_view salt, std::string_view id) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  for (const std::string_view part : {salt, std::string_view("\n"), id}) {
    for (const char c : part) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return hash;
}

constexpr std::size_t kLeastPrefix = 4;

bool begins(const std::string& word, const std::string& start) {
  return start.size() >= kLeastPrefix && word.starts_with(start);
}

// 3 keyword, 2 title, 1 beginning of either, 0 none.
int strength(const std::string& word, const std::vector<std::string>& keywords,
             const std::vector<std::string>& title) {
  const auto in = [&](const std::vector<std::string>& list) {
    return std::find(list.begin(), list.end(), word) != list.end();
  };
  const auto near = [&](const std::vector<std::string>& list) {
    return std::any_of(list.begin(), list.end(), [&](const std::string& other) {
      return begins(other, word) || begins(word, other);
    });
  };
  if (in(keywords)) return 3;
  if (in(title)) return 2;
  return near(keywords) || near(title) ? 1 : 0;
}

}  // namespace

std::vector<std::string> search_words(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : fold(text) + " ") {
    if (c != ' ') {
      word.push_back(c);
    } else if (!word.empty()) {
      const bool stop = std::binary_search(kStopWords.begin(), kStopWords.end(), word);
      cut_plural(word);
      if (!stop && std::find(words.begin(), words.end(), word) == words.end())
        words.push_back(word);
      word.clear();
    }
  }
  return words;
}

std::vector<Match> rank(std::string_view query, std::span<const SearchEntry> candidates,
                        std::string_view salt) {
  const std::vector<std::string> wanted = search_words(query);
  std::vector<std::tuple<int, std::uint64_t, std::size_t>> order;
  for (std::size_t i = 0; i < candidates.size(); ++i) {
    std::string joined;
    for (const std::string& keyword : candidates[i].keywords) joined += keyword + " ";
    const std::vector<std::string> keywords = search_words(joined);
    const std::vector<std::string> title = search_words(candidates[i].title);
    int matched = 0;
    int sum = 0;
    for (const std::string& word : wanted) {
      const int points = strength(word, keywords, title);
      matched += points > 0 ? 1 : 0;
      sum += points;
    }
    if (sum > 0) order.emplace_back(-(matched * 1000 + sum), spread(salt, candidates[i].id), i);
  }
  std::sort(order.begin(), order.end());
  std::vector<Match> matches;
  for (const auto& [score, hash, index] : order) matches.push_back({index, -score});
  return matches;
}

}  // namespace affiche::photos
