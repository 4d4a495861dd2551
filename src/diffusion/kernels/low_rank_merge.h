// SPDX-License-Identifier: Apache-2.0
// out = base + up * down in one pass over the weights: what a swap of adapters spends its time on.
#pragma once

#include <ATen/core/Tensor.h>

namespace affiche::diffusion {

// Whether this machine has the kernel for tensors of this dtype and device: float32 and bfloat16
// on x86-64 with AVX2 and FMA. Elsewhere the sum is made of tensor operations.
bool can_merge_low_rank(at::ScalarType dtype, at::Device device);

// base, out: rows x columns, contiguous, of one such dtype, not overlapping. up: rows x rank, down:
// rank x columns, float32, contiguous. The sum is taken in float32 and rounded once, in an order
// that does not depend on the number of threads. Thread-safe.
void merge_low_rank(at::Tensor& out, const at::Tensor& base, const at::Tensor& up,
                    const at::Tensor& down);

}  // namespace affiche::diffusion
