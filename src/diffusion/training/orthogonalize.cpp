// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/orthogonalize.h"

#include <ATen/ATen.h>

namespace affiche::diffusion {

at::Tensor orthogonalize(const at::Tensor& matrix) {
  constexpr double kLinear = 3.4445, kCubic = -4.7750, kQuintic = 2.0315;
  constexpr int kSteps = 5;
  // The shorter side's products with itself are the smaller ones.
  const bool tall = matrix.size(0) > matrix.size(1);
  const at::Tensor wide = tall ? matrix.t() : matrix;
  // Twice, as the norm of a gradient may be beyond what float32 can square.
  at::Tensor x = wide / wide.abs().max().clamp_min(1e-30);
  x = (x / x.norm().clamp_min(1e-30)).to(at::kBFloat16).contiguous();
  for (int i = 0; i < kSteps; ++i) {
    const at::Tensor square = at::mm(x, x.t());
    const at::Tensor factor = at::addmm(square, square, square, kCubic, kQuintic);
    x = at::addmm(x, factor, x, kLinear);
  }
  return (tall ? x.t() : x).to(at::kFloat);
}

}  // namespace affiche::diffusion
