// SPDX-License-Identifier: Apache-2.0
// Gradient checkpointing (Chen et al. 2016): a block under autograd keeps its inputs alone and runs
// again when its gradients are asked for: about half more time, as frozen layers have no gradients
// of their own, for a fraction of the memory.
#pragma once

#include <ATen/core/Tensor.h>

#include <functional>

namespace affiche::diffusion {

// While one with `on` lives, the blocks that this thread runs under autograd are checkpointed.
class Checkpointing {
 public:
  explicit Checkpointing(bool on);
  ~Checkpointing();
  Checkpointing(const Checkpointing&) = delete;
  Checkpointing& operator=(const Checkpointing&) = delete;

 private:
  bool before_;
};

// What a block of the UNet reads; the skip and the text may be undefined.
struct BlockInputs {
  at::Tensor hidden, skip, time, text;
};

// block(inputs), checkpointed or not. The block must be deterministic, may run again during
// backward, with the low-rank branches that are shown now, and what it refers to must live until
// then.
at::Tensor run_block(std::function<at::Tensor(const BlockInputs&)> block,
                     const BlockInputs& inputs);

}  // namespace affiche::diffusion
