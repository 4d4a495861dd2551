// SPDX-License-Identifier: Apache-2.0
// AutoencoderTiny (TAESD): a small, quick stand-in for a model's autoencoder, of plain
// convolutions.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "diffusion/nn/autoencoder.h"

namespace affiche::diffusion {

struct AutoencoderTinyConfig {
  std::int64_t in_channels = 3;
  std::int64_t out_channels = 3;
  std::int64_t latent_channels = 4;
  std::int64_t width = 64;  // encoder_block_out_channels, decoder_block_out_channels: all the same
  std::vector<std::int64_t> num_encoder_blocks = {1, 3, 3, 3};  // one per level
  std::vector<std::int64_t> num_decoder_blocks = {3, 3, 3, 1};
  std::string act_fn = "relu";  // or silu, gelu, mish
  double scaling_factor = 1.0;
  double shift_factor = 0.0;

  // A diffusers config.json; defaults as in diffusers. BadInput names the key.
  static AutoencoderTinyConfig from_json(const nlohmann::ordered_json& json);
};

// Latents come as the denoiser has them: nothing is sampled, scaling_factor is usually 1.
class AutoencoderTiny : public Autoencoder {
 public:
  explicit AutoencoderTiny(const AutoencoderTinyConfig& config);
  ~AutoencoderTiny() override;

  double scaling_factor() const override { return config_.scaling_factor; }
  double shift_factor() const override { return config_.shift_factor; }
  std::int64_t scale() const override {
    return std::int64_t{1} << (config_.num_decoder_blocks.size() - 1);
  }
  std::int64_t in_channels() const override { return config_.in_channels; }
  std::int64_t latent_channels() const override { return config_.latent_channels; }
  bool force_upcast() const override { return false; }
  std::int64_t default_tile_size() const override { return 512; }

 private:
  struct Net;
  at::Tensor run_encoder(const at::Tensor& x) const override;
  at::Tensor run_decoder(const at::Tensor& x) const override;
  Moments moments_of(const at::Tensor& encoded) const override;
  at::Tensor run_tiled(Direction direction, const at::Tensor& x, std::int64_t tile_in,
                       std::int64_t tile_out) const override;
  void check_tile_size(std::int64_t pixels) const override;

  AutoencoderTinyConfig config_;
  std::unique_ptr<Net> net_;
};

}  // namespace affiche::diffusion
