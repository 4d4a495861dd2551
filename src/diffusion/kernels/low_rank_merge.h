// SPDX-License-Identifier: Apache-2.0
// out = base + up * down in one pass over the weights: what a swap of adapters spends its time on.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace affiche::diffusion {

// Whether this machine has the kernel for tensors of this dtype and device: float32 and bfloat16
// on x86-64 with AVX2 and FMA. Elsewhere the sum is made of tensor operations.
bool can_merge_low_rank(at::ScalarType dtype, at::Device device);

struct LowRankMerge {
  at::Tensor out, base;  // rows x columns, contiguous, of one such dtype, not overlapping
  at::Tensor up, down;   // rows x rank, rank x columns: float32, contiguous
};

// Does them all, on all threads. Sums are taken in float32 and rounded once, in an order that does
// not depend on the number of threads. Not in parallel with users of these tensors.
void merge_low_rank(const std::vector<LowRankMerge>& merges);

}  // namespace affiche::diffusion
