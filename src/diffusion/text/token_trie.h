// SPDX-License-Identifier: Apache-2.0
// Tokens that are found in a text as a whole, before any merging.
#pragma once

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

namespace affiche::diffusion {

// Immutable use from several threads is safe.
class TokenTrie {
 public:
  struct Match {
    std::size_t length = 0;  // 0: no token starts here
    std::int64_t id = 0;
  };

  // The first definition of a content counts. `content` is not empty.
  void add(std::u32string_view content, std::int64_t id) {
    std::size_t node = 0;
    for (const char32_t c : content) {
      const auto [next, added] = nodes_[node].next.try_emplace(c, nodes_.size());
      node = next->second;
      if (added) nodes_.emplace_back();
    }
    if (nodes_[node].id < 0) nodes_[node].id = id;
  }

  // Calls take(Match) for every token at the start of `text`, the shortest first.
  template <typename Take>
  void each(std::u32string_view text, Take&& take) const {
    std::size_t node = 0;
    for (std::size_t length = 1; length <= text.size(); ++length) {
      const auto next = nodes_[node].next.find(text[length - 1]);
      if (next == nodes_[node].next.end()) break;
      node = next->second;
      if (nodes_[node].id >= 0) take(Match{length, nodes_[node].id});
    }
  }
  // The longest token at the start of `text`.
  Match longest(std::u32string_view text) const {
    Match best;
    each(text, [&best](const Match& match) { best = match; });
    return best;
  }

 private:
  struct Node {
    std::map<char32_t, std::size_t> next;
    std::int64_t id = -1;
  };
  std::vector<Node> nodes_{1};
};

}  // namespace affiche::diffusion
