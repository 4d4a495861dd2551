// SPDX-License-Identifier: Apache-2.0
// Low-rank branches beside frozen layers: y = W x + B (A x). For training: the gradient of a weight
// that the factors were merged into would cost as much as the layer itself, and bf16 rounds small
// changes of a weight away.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <unordered_map>

namespace affiche::diffusion {

struct LowRankBranch {
  at::Tensor down;  // A with alpha / rank in it, shaped as the weight but for its rank rows
  at::Tensor up;    // B: out×r, for convolutions out×r×1×1
};
// By Slot::tensor of the layer's weight.
using LowRankBranches = std::unordered_map<const at::Tensor*, LowRankBranch>;

// While one lives, the layers that this thread runs add their branches. They nest; null shows none.
class ShownBranches {
 public:
  explicit ShownBranches(std::shared_ptr<const LowRankBranches> branches);
  ~ShownBranches();
  ShownBranches(const ShownBranches&) = delete;
  ShownBranches& operator=(const ShownBranches&) = delete;
  // Those of this thread, null when there are none.
  static const std::shared_ptr<const LowRankBranches>& now();

 private:
  std::shared_ptr<const LowRankBranches> before_;
};

// The branch shown beside the layer that owns this weight, or null.
const LowRankBranch* branch_beside(const at::Tensor& weight);

}  // namespace affiche::diffusion
