// SPDX-License-Identifier: Apache-2.0
// Weights from the dtype of a file to that of a network, checked on the way, on all threads.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

namespace affiche::diffusion {

struct Conversion {
  at::Tensor source;  // contiguous, on the CPU
  at::Tensor target;  // of the same shape, contiguous or channels last; the source itself when it
                      // is only to be checked
};

// Whether convert_weights() knows this pair: float32, float16 and bfloat16 in any combination.
bool can_convert(at::ScalarType from, at::ScalarType to);

// Copies every source to its target and says which is the first whose numbers are not all finite in
// the target's dtype. Not in parallel with writers of these tensors.
std::optional<std::size_t> convert_weights(const std::vector<Conversion>& conversions);

}  // namespace affiche::diffusion
