// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/autoencoder_kl.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/attention.h"
#include "diffusion/nn/config_reader.h"
#include "diffusion/nn/resnet.h"
#include "diffusion/nn/tiling.h"

namespace affiche::diffusion {
namespace {

constexpr double kEps = 1e-6;
constexpr std::size_t kMostLevels = 8;

using Resnets = std::vector<std::unique_ptr<ResnetBlock2D>>;

// Pictures lie channels last where diffusers' pipelines encode them, but latents do not where they
// are decoded: each half sums as it does there.
ResnetOptions encoder_options(const AutoencoderKLConfig& config) {
  return {.groups = config.norm_num_groups, .eps = kEps, .sums = NormSums::Reference};
}

ResnetOptions decoder_options(const AutoencoderKLConfig& config) {
  return {.groups = config.norm_num_groups, .eps = kEps, .sums = NormSums::Exact};
}

Resnets make_resnets(Parameters& parameters, const std::string& name, std::int64_t in,
                     std::int64_t out, std::int64_t count, const ResnetOptions& options) {
  Resnets resnets;
  for (std::int64_t i = 0; i < count; ++i) {
    resnets.push_back(std::make_unique<ResnetBlock2D>(parameters, concat(name, ".resnets.", i),
                                                      i == 0 ? in : out, out, options));
  }
  return resnets;
}

struct MidBlock {
  MidBlock(Parameters& parameters, const std::string& name, std::int64_t channels,
           const ResnetOptions& options, bool attends)
      : resnets(make_resnets(parameters, name, channels, channels, 2, options)) {
    if (attends) {
      attention.emplace(parameters, name + ".attentions.0", channels, options.groups, options.eps);
    }
  }
  at::Tensor operator()(const at::Tensor& x) const {
    at::Tensor hidden = (*resnets[0])(x);
    if (attention) hidden = (*attention)(hidden);
    return (*resnets[1])(hidden);
  }
  Resnets resnets;
  std::optional<SpatialAttention> attention;
};

struct DownBlock {
  Resnets resnets;
  std::unique_ptr<Downsample2D> downsampler;
};

struct UpBlock {
  Resnets resnets;
  std::unique_ptr<Upsample2D> upsampler;
};

}  // namespace

AutoencoderKLConfig AutoencoderKLConfig::from_json(const Json& json) {
  ConfigReader reader(json, "AutoencoderKL config");
  AutoencoderKLConfig config;
  config.in_channels = reader.integer("in_channels", 3);
  config.out_channels = reader.integer("out_channels", 3);
  config.latent_channels = reader.integer("latent_channels", 4);
  config.block_out_channels = reader.integers("block_out_channels", {64});
  config.layers_per_block = reader.integer("layers_per_block", 1, ConfigReader::kMostLayers);
  config.norm_num_groups = reader.integer("norm_num_groups", 32);
  config.scaling_factor = reader.number("scaling_factor", 0.18215);
  if (config.scaling_factor <= 0) reader.refuse("scaling_factor", "expected a positive number");
  config.sample_size = reader.is_list("sample_size") ? reader.integers("sample_size", {}).front()
                                                     : reader.integer("sample_size", 32);
  config.force_upcast = reader.flag("force_upcast", true);
  config.mid_block_add_attention = reader.flag("mid_block_add_attention", true);
  config.use_quant_conv = reader.flag("use_quant_conv", true);
  config.use_post_quant_conv = reader.flag("use_post_quant_conv", true);
  const std::size_t levels = config.block_out_channels.size();
  if (levels > kMostLevels) {
    reader.refuse("block_out_channels", concat("expected at most ", kMostLevels, " levels"));
  }
  const std::pair<const char*, const char*> blocks[] = {{"down_block_types", "DownEncoderBlock2D"},
                                                        {"up_block_types", "UpDecoderBlock2D"}};
  for (const auto& [key, type] : blocks) {
    const std::vector<std::string> types =
        reader.texts(key, std::vector<std::string>(levels, type));
    if (types != std::vector<std::string>(levels, type)) {
      reader.refuse(key, concat("only ", type, " is supported, once for each of the ", levels,
                                " block_out_channels"));
    }
  }
  const std::string act = reader.text("act_fn", "silu");
  if (act != "silu" && act != "swish") reader.refuse("act_fn", "only silu is supported");
  config.shift_factor = reader.number("shift_factor", 0);
  const auto channels = static_cast<std::size_t>(config.latent_channels);
  config.latents_mean = reader.numbers("latents_mean", channels);
  config.latents_std = reader.numbers("latents_std", channels);
  reader.finish();
  return config;
}

struct AutoencoderKL::Encoder {
  Encoder(Parameters& parameters, const AutoencoderKLConfig& config)
      : conv_in(parameters, "encoder.conv_in", config.in_channels, config.block_out_channels[0], 3,
                1, 1) {
    const auto& channels = config.block_out_channels;
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const std::string name = concat("encoder.down_blocks.", i);
      DownBlock& block = blocks.emplace_back();
      block.resnets = make_resnets(parameters, name, channels[i > 0 ? i - 1 : 0], channels[i],
                                   config.layers_per_block, encoder_options(config));
      if (i + 1 < channels.size()) {
        block.downsampler =
            std::make_unique<Downsample2D>(parameters, name + ".downsamplers.0", channels[i], 0);
      }
    }
    mid.emplace(parameters, "encoder.mid_block", channels.back(), encoder_options(config),
                config.mid_block_add_attention);
    norm_out.emplace(parameters, "encoder.conv_norm_out", config.norm_num_groups, channels.back(),
                     kEps, NormSums::Reference);
    conv_out.emplace(parameters, "encoder.conv_out", channels.back(), 2 * config.latent_channels, 3,
                     1, 1);
  }

  at::Tensor operator()(const at::Tensor& image) const {
    at::Tensor hidden = conv_in(image);
    for (const DownBlock& block : blocks) {
      for (const auto& resnet : block.resnets) hidden = (*resnet)(hidden);
      if (block.downsampler) hidden = (*block.downsampler)(hidden);
    }
    return (*conv_out)(at::silu((*norm_out)((*mid)(hidden))));
  }

  Conv2d conv_in;
  std::vector<DownBlock> blocks;
  std::optional<MidBlock> mid;
  std::optional<GroupNorm> norm_out;
  std::optional<Conv2d> conv_out;
};

struct AutoencoderKL::Decoder {
  Decoder(Parameters& parameters, const AutoencoderKLConfig& config)
      : conv_in(parameters, "decoder.conv_in", config.latent_channels,
                config.block_out_channels.back(), 3, 1, 1),
        mid(parameters, "decoder.mid_block", config.block_out_channels.back(),
            decoder_options(config), config.mid_block_add_attention) {
    std::vector<std::int64_t> channels = config.block_out_channels;
    std::reverse(channels.begin(), channels.end());
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const std::string name = concat("decoder.up_blocks.", i);
      UpBlock& block = blocks.emplace_back();
      block.resnets = make_resnets(parameters, name, channels[i > 0 ? i - 1 : 0], channels[i],
                                   config.layers_per_block + 1, decoder_options(config));
      if (i + 1 < channels.size()) {
        block.upsampler =
            std::make_unique<Upsample2D>(parameters, name + ".upsamplers.0", channels[i]);
      }
    }
    norm_out.emplace(parameters, "decoder.conv_norm_out", config.norm_num_groups, channels.back(),
                     kEps);
    conv_out.emplace(parameters, "decoder.conv_out", channels.back(), config.out_channels, 3, 1, 1);
  }

  at::Tensor operator()(const at::Tensor& latents) const {
    at::Tensor hidden = mid(conv_in(latents));
    for (const UpBlock& block : blocks) {
      for (const auto& resnet : block.resnets) hidden = (*resnet)(hidden);
      if (block.upsampler) {
        hidden = (*block.upsampler)(hidden, 2 * hidden.size(2), 2 * hidden.size(3));
      }
    }
    return (*conv_out)(at::silu((*norm_out)(hidden)));
  }

  Conv2d conv_in;
  MidBlock mid;
  std::vector<UpBlock> blocks;
  std::optional<GroupNorm> norm_out;
  std::optional<Conv2d> conv_out;
};

struct AutoencoderKL::QuantConvs {
  QuantConvs(Parameters& parameters, const AutoencoderKLConfig& config) {
    const std::int64_t latent = config.latent_channels;
    if (config.use_quant_conv) quant.emplace(parameters, "quant_conv", 2 * latent, 2 * latent, 1);
    if (config.use_post_quant_conv) {
      post_quant.emplace(parameters, "post_quant_conv", latent, latent, 1);
    }
  }
  std::optional<Conv2d> quant, post_quant;
};

AutoencoderKL::AutoencoderKL(const AutoencoderKLConfig& config)
    : Autoencoder("AutoencoderKL"),
      config_(config),
      encoder_(std::make_unique<Encoder>(parameters(), config_)),
      decoder_(std::make_unique<Decoder>(parameters(), config_)),
      quant_(std::make_unique<QuantConvs>(parameters(), config_)) {}

AutoencoderKL::~AutoencoderKL() = default;

at::Tensor AutoencoderKL::run_encoder(const at::Tensor& x) const {
  const at::Tensor encoded = (*encoder_)(x);
  return quant_->quant ? (*quant_->quant)(encoded) : encoded;
}

at::Tensor AutoencoderKL::run_decoder(const at::Tensor& x) const {
  return (*decoder_)(quant_->post_quant ? (*quant_->post_quant)(x) : x);
}

Autoencoder::Moments AutoencoderKL::moments_of(const at::Tensor& encoded) const {
  const std::vector<at::Tensor> halves = encoded.chunk(2, 1);
  return {halves[0].contiguous(), at::clamp(halves[1], -30.0, 20.0).contiguous()};
}

at::Tensor AutoencoderKL::run_tiled(Direction direction, const at::Tensor& x, std::int64_t tile_in,
                                    std::int64_t tile_out) const {
  if (x.size(2) <= tile_in && x.size(3) <= tile_in) return run(direction, x);
  return blend_tiles(
      x, [&](const at::Tensor& tile) { return run(direction, tile); }, tile_in, tile_out);
}

std::int64_t AutoencoderKL::default_tile_size() const {
  const std::int64_t unit = 4 * scale();
  return (config_.sample_size + unit - 1) / unit * unit;
}

void AutoencoderKL::check_tile_size(std::int64_t pixels) const {
  if (pixels % (4 * scale()) != 0 || pixels <= 0) {
    fail(Cause::BadInput, name(), ": expected a tile size that ", 4 * scale(), " divides, found ",
         pixels);
  }
}

}  // namespace affiche::diffusion
