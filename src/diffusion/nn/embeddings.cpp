// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/embeddings.h"

#include <ATen/ATen.h>

#include <cmath>

namespace affiche::diffusion {

at::Tensor timestep_embedding(const at::Tensor& timesteps, std::int64_t width, bool cos_first,
                              double shift) {
  const std::int64_t half = width / 2;
  const auto options = at::TensorOptions().dtype(at::kFloat).device(timesteps.device());
  const at::Tensor exponent =
      -std::log(10000.0) * at::arange(half, options) / (static_cast<double>(half) - shift);
  const at::Tensor angle = timesteps.to(at::kFloat).unsqueeze(1) * exponent.exp().unsqueeze(0);
  at::Tensor result =
      cos_first ? at::cat({angle.cos(), angle.sin()}, -1) : at::cat({angle.sin(), angle.cos()}, -1);
  return width % 2 == 1 ? at::constant_pad_nd(result, {0, 1}) : result;
}

TimestepEmbedding::TimestepEmbedding(Parameters& parameters, const std::string& name,
                                     std::int64_t in, std::int64_t width,
                                     std::int64_t condition_width)
    : linear_1_(parameters, name + ".linear_1", in, width),
      linear_2_(parameters, name + ".linear_2", width, width) {
  if (condition_width > 0) {
    cond_proj_.emplace(parameters, name + ".cond_proj", condition_width, in, false);
  }
}

at::Tensor TimestepEmbedding::operator()(const at::Tensor& x, const at::Tensor& condition) const {
  return linear_2_(at::silu(linear_1_(cond_proj_ ? x + (*cond_proj_)(condition) : x)));
}

}  // namespace affiche::diffusion
