// SPDX-License-Identifier: Apache-2.0
// AutoencoderKL of the Stable Diffusion family, of SD3 and Flux: pictures to a normal distribution
// of latents and back.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "diffusion/nn/autoencoder.h"

namespace affiche::diffusion {

struct AutoencoderKLConfig {
  std::int64_t in_channels = 3;
  std::int64_t out_channels = 3;
  std::int64_t latent_channels = 4;
  std::vector<std::int64_t> block_out_channels = {64};  // one per level
  std::int64_t layers_per_block = 1;
  std::int64_t norm_num_groups = 32;
  std::int64_t sample_size = 32;    // picture size the model was trained on; the size of tiles
  double scaling_factor = 0.18215;  // the denoiser's latents are (mean - shift) * scaling_factor
  double shift_factor = 0;
  std::vector<double> latents_mean, latents_std;  // one per latent channel, or empty
  bool force_upcast = true;                       // decode in fp32 when the pipeline runs in fp16
  bool mid_block_add_attention = true;
  bool use_quant_conv = true;
  bool use_post_quant_conv = true;

  // A diffusers config.json; defaults as in diffusers. BadInput names the key.
  static AutoencoderKLConfig from_json(const nlohmann::ordered_json& json);
  // Pictures are this many times larger than latents, in each direction.
  std::int64_t scale() const { return std::int64_t{1} << (block_out_channels.size() - 1); }
};

class AutoencoderKL : public Autoencoder {
 public:
  explicit AutoencoderKL(const AutoencoderKLConfig& config);
  ~AutoencoderKL() override;

  double scaling_factor() const override { return config_.scaling_factor; }
  double shift_factor() const override { return config_.shift_factor; }
  std::vector<double> latents_mean() const override { return config_.latents_mean; }
  std::vector<double> latents_std() const override { return config_.latents_std; }
  std::int64_t scale() const override { return config_.scale(); }
  std::int64_t in_channels() const override { return config_.in_channels; }
  std::int64_t latent_channels() const override { return config_.latent_channels; }
  bool force_upcast() const override { return config_.force_upcast; }
  // sample_size, or the next number above whose tiles join up.
  std::int64_t default_tile_size() const override;
  const AutoencoderKLConfig& config() const { return config_; }

 private:
  struct Encoder;
  struct Decoder;
  struct QuantConvs;
  at::Tensor run_encoder(const at::Tensor& x) const override;
  at::Tensor run_decoder(const at::Tensor& x) const override;
  Moments moments_of(const at::Tensor& encoded) const override;
  at::Tensor run_tiled(Direction direction, const at::Tensor& x, std::int64_t tile_in,
                       std::int64_t tile_out) const override;
  void check_tile_size(std::int64_t pixels) const override;

  AutoencoderKLConfig config_;
  std::unique_ptr<Encoder> encoder_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<QuantConvs> quant_;
};

}  // namespace affiche::diffusion
