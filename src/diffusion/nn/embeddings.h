// SPDX-License-Identifier: Apache-2.0
// Sinusoidal embedding of diffusion time and the two layers behind it.
#pragma once

#include <optional>

#include "diffusion/nn/layers.h"

namespace affiche::diffusion {

// timesteps: B (any dtype, may be fractional) -> B x width, float32, on the same device.
// Frequencies exp(-ln(10000) i / (width/2 - shift)); `cos_first` swaps the halves ("Attention is
// all you need", with the order and shift of diffusers' flip_sin_to_cos and freq_shift).
at::Tensor timestep_embedding(const at::Tensor& timesteps, std::int64_t width, bool cos_first,
                              double shift);

// linear_2(silu(linear_1(x + cond_proj(condition)))). cond_proj, which has no bias, exists when
// `condition_width` is not 0; then a condition of B x condition_width must be given.
class TimestepEmbedding {
 public:
  TimestepEmbedding(Parameters& parameters, const std::string& name, std::int64_t in,
                    std::int64_t width, std::int64_t condition_width = 0);
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& condition = {}) const;

 private:
  Linear linear_1_;
  std::optional<Linear> cond_proj_;
  Linear linear_2_;
};

}  // namespace affiche::diffusion
