// SPDX-License-Identifier: Apache-2.0
// The denoiser of Flux.1, as diffusers' FluxTransformer2DModel.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <memory>
#include <nlohmann/json_fwd.hpp>

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

struct FluxTransformer2DConfig {
  std::int64_t in_channels = 64;  // of packed latents: four of the VAE's pixels are one token
  std::int64_t out_channels = 64;
  std::int64_t num_layers = 19;
  std::int64_t num_single_layers = 38;
  std::int64_t attention_head_dim = 128;
  std::int64_t num_attention_heads = 24;
  std::int64_t joint_attention_dim = 4096;
  std::int64_t pooled_projection_dim = 768;
  bool guidance_embeds = false;                          // distilled with guidance ("dev")
  std::array<std::int64_t, 3> axes_dims = {16, 56, 56};  // of a head: one for text, row, column

  // diffusers' config.json; defaults as there. BadInput names the key.
  static FluxTransformer2DConfig from_json(const nlohmann::ordered_json& json);
};

// Re-entrant: may run in several threads at once. Differentiable.
class FluxTransformer2DModel {
 public:
  explicit FluxTransformer2DModel(const FluxTransformer2DConfig& config);
  ~FluxTransformer2DModel();
  FluxTransformer2DModel(const FluxTransformer2DModel&) = delete;
  FluxTransformer2DModel& operator=(const FluxTransformer2DModel&) = delete;

  struct Input {
    at::Tensor latents;  // B x (rows columns) x in_channels
    std::int64_t rows = 0, columns = 0;
    at::Tensor timestep;  // B, from 0 to 1
    at::Tensor guidance;  // B, the guidance scale; undefined without guidance_embeds
    at::Tensor context;   // B x S x joint_attention_dim
    at::Tensor pooled;    // B x pooled_projection_dim
  };
  // B x (rows columns) x out_channels, in the latents' dtype. BadInput when rows and columns do
  // not fit the latents.
  at::Tensor forward(const Input& input) const;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  const FluxTransformer2DConfig& config() const { return config_; }

 private:
  struct Net;
  FluxTransformer2DConfig config_;
  Parameters parameters_;
  std::unique_ptr<Net> net_;
};

}  // namespace affiche::diffusion
