// SPDX-License-Identifier: Apache-2.0
#include "fuzz/mutate.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace affiche::fuzz {
namespace {

// std::uniform_int_distribution gives other numbers with other standard libraries.
std::size_t below(std::size_t end, std::mt19937_64& random) {
  return end == 0 ? 0 : static_cast<std::size_t>(random() % end);
}

struct Range {
  std::size_t begin, size;
};

// Short ones more often than long ones.
Range some_range(const Bytes& bytes, std::mt19937_64& random) {
  const std::size_t begin = below(bytes.size(), random);
  const std::size_t most = std::min(bytes.size() - begin, std::size_t{1} << below(13, random));
  return {begin, below(most + 1, random)};
}

void set_edge_number(Bytes& bytes, std::mt19937_64& random) {
  constexpr std::array<std::uint64_t, 12> kEdges = {0,          1,          0x7f,       0xff,
                                                    0x7fff,     0xffff,     0x7fffffff, 0xffffffff,
                                                    1ULL << 40, 1ULL << 62, 1ULL << 63, ~0ULL};
  const std::uint64_t value = kEdges[below(kEdges.size(), random)] + below(3, random) - 1;
  const std::size_t size = std::size_t{1} << below(4, random);
  if (bytes.size() < size) return;
  std::memcpy(bytes.data() + below(bytes.size() - size + 1, random), &value, size);
}

// Text formats hold their numbers and brackets as characters.
void set_character(Bytes& bytes, std::mt19937_64& random) {
  constexpr std::string_view kCharacters = "0123456789-+.eE\"{}[]():,<>\\ \n\t=#_/ntfu";
  bytes[below(bytes.size(), random)] =
      static_cast<std::uint8_t>(kCharacters[below(kCharacters.size(), random)]);
}

void insert(Bytes& bytes, std::size_t at, const Bytes& from, Range range) {
  const Bytes piece(from.begin() + static_cast<std::ptrdiff_t>(range.begin),
                    from.begin() + static_cast<std::ptrdiff_t>(range.begin + range.size));
  bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at), piece.begin(), piece.end());
}

void change(Bytes& bytes, const std::vector<Bytes>& corpus, std::mt19937_64& random) {
  if (bytes.empty()) {
    bytes.push_back(static_cast<std::uint8_t>(random()));
    return;
  }
  const std::size_t place = below(bytes.size(), random);
  switch (below(9, random)) {
    case 0:
      bytes[place] = static_cast<std::uint8_t>(bytes[place] ^ (1U << below(8, random)));
      break;
    case 1:
      bytes[place] = static_cast<std::uint8_t>(random());
      break;
    case 2:
      set_edge_number(bytes, random);
      break;
    case 3:
      set_character(bytes, random);
      break;
    case 4: {
      const Range gone = some_range(bytes, random);
      const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(gone.begin);
      bytes.erase(begin, begin + static_cast<std::ptrdiff_t>(gone.size));
      break;
    }
    case 5:
      insert(bytes, place, bytes, some_range(bytes, random));
      break;
    case 6: {
      const Bytes& other = corpus[below(corpus.size(), random)];
      if (!other.empty()) insert(bytes, place, other, some_range(other, random));
      break;
    }
    case 7:
      bytes.resize(place);
      break;
    default: {
      const Range from = some_range(bytes, random);
      const std::size_t size = std::min(from.size, bytes.size() - place);
      std::memmove(bytes.data() + place, bytes.data() + from.begin, size);
    }
  }
}

}  // namespace

Bytes mutate(const std::vector<Bytes>& corpus, std::mt19937_64& random, std::size_t longest) {
  Bytes bytes = corpus[below(corpus.size(), random)];
  const std::size_t changes = 1 + below(8, random);
  for (std::size_t i = 0; i < changes; ++i) change(bytes, corpus, random);
  if (bytes.size() > longest) bytes.resize(longest);
  return bytes;
}

}  // namespace affiche::fuzz
