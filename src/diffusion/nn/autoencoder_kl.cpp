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

namespace affiche::diffusion {
namespace {

constexpr double kEps = 1e-6;

using Resnets = std::vector<std::unique_ptr<ResnetBlock2D>>;

Resnets make_resnets(Parameters& parameters, const std::string& name, std::int64_t in,
                     std::int64_t out, std::int64_t count, std::int64_t groups) {
  Resnets resnets;
  for (std::int64_t i = 0; i < count; ++i) {
    resnets.push_back(
        std::make_unique<ResnetBlock2D>(parameters, concat(name, ".resnets.", i), i == 0 ? in : out,
                                        out, ResnetOptions{.groups = groups, .eps = kEps}));
  }
  return resnets;
}

struct MidBlock {
  MidBlock(Parameters& parameters, const std::string& name, std::int64_t channels,
           const AutoencoderKLConfig& config)
      : resnets(make_resnets(parameters, name, channels, channels, 2, config.norm_num_groups)) {
    if (config.mid_block_add_attention) {
      attention.emplace(parameters, name + ".attentions.0", channels, config.norm_num_groups, kEps);
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

// Convolutions run a quarter faster on the CPU when channels lie last.
at::Tensor entering(const at::Tensor& x, const Conv2d& conv_in) {
  return x.to(conv_in.weight().scalar_type()).contiguous(at::MemoryFormat::ChannelsLast);
}

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
  config.sample_size = reader.integer("sample_size", 32);
  config.force_upcast = reader.flag("force_upcast", true);
  config.mid_block_add_attention = reader.flag("mid_block_add_attention", true);
  config.use_quant_conv = reader.flag("use_quant_conv", true);
  config.use_post_quant_conv = reader.flag("use_post_quant_conv", true);
  const std::size_t levels = config.block_out_channels.size();
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
  reader.only("shift_factor", "0.0");
  reader.only("latents_mean");
  reader.only("latents_std");
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
                                   config.layers_per_block, config.norm_num_groups);
      if (i + 1 < channels.size()) {
        block.downsampler =
            std::make_unique<Downsample2D>(parameters, name + ".downsamplers.0", channels[i], 0);
      }
    }
    mid.emplace(parameters, "encoder.mid_block", channels.back(), config);
    norm_out.emplace(parameters, "encoder.conv_norm_out", config.norm_num_groups, channels.back(),
                     kEps);
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
        mid(parameters, "decoder.mid_block", config.block_out_channels.back(), config) {
    std::vector<std::int64_t> channels = config.block_out_channels;
    std::reverse(channels.begin(), channels.end());
    for (std::size_t i = 0; i < channels.size(); ++i) {
      const std::string name = concat("decoder.up_blocks.", i);
      UpBlock& block = blocks.emplace_back();
      block.resnets = make_resnets(parameters, name, channels[i > 0 ? i - 1 : 0], channels[i],
                                   config.layers_per_block + 1, config.norm_num_groups);
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
    : config_(config),
      encoder_(std::make_unique<Encoder>(parameters_, config_)),
      decoder_(std::make_unique<Decoder>(parameters_, config_)),
      quant_(std::make_unique<QuantConvs>(parameters_, config_)) {}

AutoencoderKL::~AutoencoderKL() = default;

AutoencoderKL::Moments AutoencoderKL::encode(const at::Tensor& image) const {
  at::Tensor moments = (*encoder_)(entering(image, encoder_->conv_in));
  if (quant_->quant) moments = (*quant_->quant)(moments);
  const std::vector<at::Tensor> halves = moments.to(image.scalar_type()).chunk(2, 1);
  return {halves[0].contiguous(), at::clamp(halves[1], -30.0, 20.0).contiguous()};
}

at::Tensor AutoencoderKL::decode(const at::Tensor& latents) const {
  at::Tensor hidden = entering(latents, decoder_->conv_in);
  if (quant_->post_quant) hidden = (*quant_->post_quant)(hidden);
  return (*decoder_)(hidden).to(latents.scalar_type()).contiguous();
}

}  // namespace affiche::diffusion
