// SPDX-License-Identifier: Apache-2.0
// AutoencoderKL of the Stable Diffusion family: pictures to latents and back.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <vector>

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

struct AutoencoderKLConfig {
  std::int64_t in_channels = 3;
  std::int64_t out_channels = 3;
  std::int64_t latent_channels = 4;
  std::vector<std::int64_t> block_out_channels = {64};  // one per level
  std::int64_t layers_per_block = 1;
  std::int64_t norm_num_groups = 32;
  std::int64_t sample_size = 32;    // picture size the model was trained on; informative
  double scaling_factor = 0.18215;  // the UNet's latents are mean * scaling_factor
  bool force_upcast = true;         // decode in fp32 when the pipeline runs in fp16
  bool mid_block_add_attention = true;
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;

  // A diffusers config.json; defaults as in diffusers. BadInput names the key.
  static AutoencoderKLConfig from_json(const nlohmann::ordered_json& json);
  // Pictures are this many times larger than latents, in each direction.
  std::int64_t scale() const { return std::int64_t{1} << (block_out_channels.size() - 1); }
};

// encode() and decode() compute in the dtype of the weights and return the dtype of their input.
// Re-entrant: may run in several threads at once. Differentiable.
class AutoencoderKL {
 public:
  struct Moments {
    at::Tensor mean;    // B x latent_channels x H/scale x W/scale
    at::Tensor logvar;  // the same shape, clamped to [-30, 20]
  };

  explicit AutoencoderKL(const AutoencoderKLConfig& config);
  ~AutoencoderKL();
  AutoencoderKL(const AutoencoderKL&) = delete;
  AutoencoderKL& operator=(const AutoencoderKL&) = delete;

  // image: B x in_channels x H x W in [-1, 1].
  Moments encode(const at::Tensor& image) const;
  // latents: B x latent_channels x h x w, already divided by scaling_factor. Result in about
  // [-1, 1], not clamped.
  at::Tensor decode(const at::Tensor& latents) const;

  Parameters& parameters() { return parameters_; }
  const Parameters& parameters() const { return parameters_; }
  const AutoencoderKLConfig& config() const { return config_; }

 private:
  struct Encoder;
  struct Decoder;
  struct QuantConvs;
  AutoencoderKLConfig config_;
  Parameters parameters_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<QuantConvs> quant_;
};

}  // namespace affiche::diffusion
