// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/brownian_tree.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {
namespace {

constexpr std::size_t kPoolSize = 24;
// Six decimals of noise levels up to thousands: a deeper tree means a damaged interval.
constexpr int kDeepest = 64;

// Python's round(value, 6): to the nearest decimal, not by scaling.
double rounded(double value) {
  char text[64];
  std::snprintf(text, sizeof text, "%.6f", value);
  return std::strtod(text, nullptr);
}

void append_words(std::vector<std::uint32_t>& words, std::uint64_t number) {
  do {
    words.push_back(static_cast<std::uint32_t>(number));
    number >>= 32;
  } while (number != 0);
}

// O'Neill's seed_seq_fe hash, whose constant moves on with every word.
class WordHash {
 public:
  WordHash(std::uint32_t start, std::uint32_t factor) : constant_(start), factor_(factor) {}
  std::uint32_t operator()(std::uint32_t value) {
    value ^= constant_;
    constant_ *= factor_;
    value *= constant_;
    return value ^ (value >> 16);
  }

 private:
  std::uint32_t constant_, factor_;
};

std::uint32_t mixed(std::uint32_t x, std::uint32_t y) {
  const std::uint32_t value = x * 0xca01f9ddU - y * 0x4973f715U;
  return value ^ (value >> 16);
}

}  // namespace

std::vector<std::uint32_t> seed_words(std::uint64_t entropy, const std::vector<std::uint64_t>& key,
                                      std::size_t count) {
  std::vector<std::uint32_t> words;
  append_words(words, entropy);
  words.resize(kPoolSize);  // keys never mix with short entropies
  for (const std::uint64_t part : key) append_words(words, part);

  WordHash hash(0x43b0d7e5U, 0x931e8875U);
  std::vector<std::uint32_t> pool(words.begin(), words.begin() + kPoolSize);
  for (std::uint32_t& word : pool) word = hash(word);
  for (std::size_t from = 0; from < kPoolSize; ++from) {
    for (std::size_t to = 0; to < kPoolSize; ++to) {
      if (from != to) pool[to] = mixed(pool[to], hash(pool[from]));
    }
  }
  for (std::size_t from = kPoolSize; from < words.size(); ++from) {
    for (std::uint32_t& word : pool) word = mixed(word, hash(words[from]));
  }
  WordHash out(0x8b51f9ddU, 0x58f38dedU);
  std::vector<std::uint32_t> result;
  for (std::size_t i = 0; i < count; ++i) result.push_back(out(pool[i % kPoolSize]));
  return result;
}

struct BrownianTree::Node {
  double start = 0, end = 0;
  const Node* parent = nullptr;
  std::uint64_t key = 0;  // counts the nodes of one depth from the left
  int depth = 0;
  double middle = 0;  // where the children meet
  std::uint32_t seed = 0;
  std::unique_ptr<Node> left, right;
};

BrownianTree::BrownianTree(std::vector<std::int64_t> shape, at::ScalarType dtype, double start,
                           double end, std::uint64_t seed)
    : shape_(std::move(shape)), dtype_(dtype), seed_(seed), root_(std::make_unique<Node>()) {
  root_->start = rounded(start);
  root_->end = rounded(end);
}

BrownianTree::~BrownianTree() = default;
BrownianTree::BrownianTree(BrownianTree&&) noexcept = default;

at::Tensor BrownianTree::drawn(std::uint32_t seed) const {
  return randn(shape_, {{seeded(seed)}}, dtype_, at::kCPU);
}

// The whole path's change, or a Brownian bridge through the middle of the parent's.
at::Tensor BrownianTree::change_of(const Node& node) const {
  if (node.parent == nullptr) {
    return drawn(seed_words(seed_, {}, 1)[0]) * std::sqrt(node.end - node.start);
  }
  const Node& parent = *node.parent;
  const at::Tensor whole = change_of(parent);
  const double reciprocal = 1 / (parent.end - parent.start);
  const double before = parent.middle - parent.start;
  const double after = parent.end - parent.middle;
  const at::Tensor left =
      whole * before * reciprocal + drawn(parent.seed) * std::sqrt(before * after * reciprocal);
  return &node == parent.left.get() ? left : whole - left;
}

// Halves the node until one of the halves ends at `at`.
void BrownianTree::split(Node& node, double at) const {
  if (node.depth >= kDeepest) {
    fail(Cause::Internal, "Brownian tree: no place for ", at, " from ", node.start, " to ",
         node.end);
  }
  node.middle = rounded(0.5 * (node.end + node.start));
  node.seed = seed_words(seed_, {node.key, static_cast<std::uint64_t>(node.depth)}, 1)[0];
  const auto child = [&](double start, double end, std::uint64_t side) {
    auto made = std::make_unique<Node>();
    made->start = start;
    made->end = end;
    made->parent = &node;
    made->key = 2 * node.key + side;
    made->depth = node.depth + 1;
    return made;
  };
  node.left = child(node.start, node.middle, 0);
  node.right = child(node.middle, node.end, 1);
  if (at > node.middle) split(*node.right, at);
  if (at < node.middle) split(*node.left, at);
}

void BrownianTree::collect(Node& node, double from, double to,
                           std::vector<const Node*>& found) const {
  if (from == node.start && to == node.end) {
    found.push_back(&node);
    return;
  }
  if (!node.left) split(node, from == node.start ? to : from);
  if (from < node.middle) collect(*node.left, from, std::min(to, node.middle), found);
  if (to > node.middle) collect(*node.right, std::max(from, node.middle), to, found);
}

at::Tensor BrownianTree::change(double from, double to) {
  from = rounded(std::clamp(from, root_->start, root_->end));
  to = rounded(std::clamp(to, root_->start, root_->end));
  if (!(from < to)) return at::zeros(shape_, dtype_);
  std::vector<const Node*> parts;
  collect(*root_, from, to, parts);
  at::Tensor sum = change_of(*parts[0]);
  for (std::size_t i = 1; i < parts.size(); ++i) sum = sum + change_of(*parts[i]);
  return sum;
}

}  // namespace affiche::diffusion
