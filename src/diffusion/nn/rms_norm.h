// SPDX-License-Identifier: Apache-2.0
// Root mean square norm (arXiv 1910.07467).
#pragma once

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

// x / sqrt(mean(x^2) + eps) * weight over the last dimension, the mean in float32; in the dtype of
// the input otherwise. A layer as in layers.h.
class RMSNorm {
 public:
  RMSNorm(Parameters& parameters, const std::string& name, std::int64_t width, double eps);
  RMSNorm(const RMSNorm&) = delete;
  RMSNorm& operator=(const RMSNorm&) = delete;
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  at::Tensor weight_;
  double eps_;
};

}  // namespace affiche::diffusion
