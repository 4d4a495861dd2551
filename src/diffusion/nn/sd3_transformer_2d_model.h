// SPDX-License-Identifier: Apache-2.0
// The denoiser of Stable Diffusion 3 and 3.5, as diffusers' SD3Transformer2DModel.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <set>

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

struct SD3Transformer2DConfig {
  std::int64_t sample_size = 128;  // latents of a picture of the size it was trained on
  std::int64_t patch_size = 2;
  std::int64_t in_channels = 16;
  std::int64_t out_channels = 16;
  std::int64_t num_layers = 18;
  std::int64_t attention_head_dim = 64;
  std::int64_t num_attention_heads = 18;
  std::int64_t joint_attention_dim = 4096;
  std::int64_t pooled_projection_dim = 2048;
  std::int64_t pos_embed_max_size = 96;          // patches in each direction
  std::set<std::int64_t> dual_attention_layers;  // of SD 3.5 medium
  bool qk_norm = false;                          // "rms_norm", of SD 3.5

  // diffusers' config.json; defaults as there. BadInput names the key.
  static SD3Transformer2DConfig from_json(const nlohmann::ordered_json& json);
};

// Re-entrant: may run in several threads at once. Differentiable.
class SD3Transformer2DModel {
 public:
  explicit SD3Transformer2DModel(const SD3Transformer2DConfig& config);
  ~SD3Transformer2DModel();
  SD3Transformer2DModel(const SD3Transformer2DModel&) = delete;
  SD3Transformer2DModel& operator=(const SD3Transformer2DModel&) = delete;

  // latents: B x in_channels x h x w, h and w multiples of patch_size and at most
  // pos_embed_max_size patches; timestep: B, from 0 to 1000; context: B x S x joint_attention_dim;
  // pooled: B x pooled_projection_dim. Result B x out_channels x h x w, in the latents' dtype.
  // BadInput for other sizes.
  at::Tensor forward(const at::Tensor& latents, const at::Tensor& timestep,
                     const at::Tensor& context, const at::Tensor& pooled) const;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  const SD3Transformer2DConfig& config() const { return config_; }

 private:
  struct Net;
  SD3Transformer2DConfig config_;
  Parameters parameters_;
  std::unique_ptr<Net> net_;
};

}  // namespace affiche::diffusion
