// SPDX-License-Identifier: Apache-2.0
// Brownian motion that can be asked for any interval in any order and always gives the same path:
// the numbers of torchsde's BrownianInterval with halfway_tree, whose noise diffusers'
// DPMSolverSDEScheduler uses (Li et al., "Scalable gradients for stochastic differential
// equations", arXiv 2001.01328, section 4: Brownian bridges on a binary tree of seeds).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace affiche::diffusion {

// Numpy's SeedSequence with a pool of 24 words: `count` 32-bit words from an entropy and a key.
std::vector<std::uint32_t> seed_words(std::uint64_t entropy, const std::vector<std::uint64_t>& key,
                                      std::size_t count);

// Not thread-safe; one object per request.
class BrownianTree {
 public:
  // A path of tensors of this shape from `start` to `end` (start < end), which are kept with six
  // decimals. Noise is drawn on the CPU in `dtype`.
  BrownianTree(std::vector<std::int64_t> shape, at::ScalarType dtype, double start, double end,
               std::uint64_t seed);
  ~BrownianTree();
  BrownianTree(BrownianTree&&) noexcept;

  // The path's change from `from` to `to` (from <= to), held to the ends: mean 0, variance
  // to - from.
  at::Tensor change(double from, double to);

 private:
  struct Node;
  at::Tensor drawn(std::uint32_t seed) const;
  at::Tensor change_of(const Node& node) const;
  void split(Node& node, double at) const;
  void collect(Node& node, double from, double to, std::vector<const Node*>& found) const;

  std::vector<std::int64_t> shape_;
  at::ScalarType dtype_;
  std::uint64_t seed_;
  std::unique_ptr<Node> root_;
};

}  // namespace affiche::diffusion
