// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/unet_2d_condition.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "base/error.h"
#include "diffusion/nn/embeddings.h"
#include "diffusion/nn/unet_2d_blocks.h"

namespace affiche::diffusion {
namespace {

UNetBlockOptions block_options(const UNet2DConditionConfig& config, std::size_t level) {
  UNetBlockOptions options;
  options.out = config.block_out_channels[level];
  options.layers = config.layers_per_block[level];
  options.downsample_padding = config.downsample_padding;
  options.resnet = {config.norm_num_groups, config.norm_eps, config.time_embedding_dim};
  options.transformer = {
      config.heads[level],    config.transformer_layers[level], config.cross_attention_dim[level],
      config.norm_num_groups, config.use_linear_projection,     config.upcast_attention};
  return options;
}

}  // namespace

struct UNet2DConditionModel::Net {
  Net(Parameters& parameters, const UNet2DConditionConfig& config)
      : conv_in(parameters, "conv_in", config.in_channels, config.block_out_channels.front(),
                config.conv_in_kernel, 1, (config.conv_in_kernel - 1) / 2),
        time_embedding(parameters, "time_embedding", config.block_out_channels.front(),
                       config.time_embedding_dim) {
    const auto& channels = config.block_out_channels;
    const std::size_t levels = config.levels();
    for (std::size_t i = 0; i < levels; ++i) {
      UNetBlockOptions options = block_options(config, i);
      options.in = channels[i > 0 ? i - 1 : 0];
      options.resample = i + 1 < levels;
      options.attention = config.down_attention[i];
      down.emplace_back(parameters, concat("down_blocks.", i), options);
    }
    if (config.mid_block) {
      UNetBlockOptions options = block_options(config, levels - 1);
      options.in = options.out;
      options.attention = config.mid_attention;
      mid.emplace(parameters, "mid_block", options);
    }
    for (std::size_t i = 0; i < levels; ++i) {
      const std::size_t level = levels - 1 - i;
      UNetBlockOptions options = block_options(config, level);
      options.in = channels[i > 0 ? level + 1 : level];
      options.skip = channels[level > 0 ? level - 1 : 0];
      options.layers += 1;
      options.resample = i + 1 < levels;
      options.attention = config.up_attention[i];
      up.emplace_back(parameters, concat("up_blocks.", i), options);
    }
    norm_out.emplace(parameters, "conv_norm_out", config.norm_num_groups, channels.front(),
                     config.norm_eps);
    conv_out.emplace(parameters, "conv_out", channels.front(), config.out_channels,
                     config.conv_out_kernel, 1, (config.conv_out_kernel - 1) / 2);
  }

  Conv2d conv_in;
  TimestepEmbedding time_embedding;
  std::deque<UNetDownBlock> down;
  std::optional<UNetMidBlock> mid;
  std::deque<UNetUpBlock> up;
  std::optional<GroupNorm> norm_out;
  std::optional<Conv2d> conv_out;
};

UNet2DConditionModel::UNet2DConditionModel(const UNet2DConditionConfig& config)
    : config_(config), net_(std::make_unique<Net>(parameters_, config_)) {}

UNet2DConditionModel::~UNet2DConditionModel() = default;

at::Tensor UNet2DConditionModel::forward(const at::Tensor& sample, const at::Tensor& timesteps,
                                         const at::Tensor& encoder_hidden_states) const {
  const std::int64_t batch = sample.size(0);
  const bool fits = sample.dim() == 4 && sample.size(1) == config_.in_channels &&
                    (timesteps.numel() == 1 || timesteps.numel() == batch) &&
                    encoder_hidden_states.dim() == 3 && encoder_hidden_states.size(0) == batch &&
                    encoder_hidden_states.size(2) == config_.cross_attention_dim.front();
  if (!fits) {
    fail(Cause::BadInput, "UNet2DConditionModel: expected a sample of B x ", config_.in_channels,
         " x H x W, one or B timesteps and text of B x T x ", config_.cross_attention_dim.front(),
         "; found ", sample.sizes(), ", ", timesteps.sizes(), ", ", encoder_hidden_states.sizes());
  }
  const at::ScalarType dtype = net_->conv_in.weight().scalar_type();
  const at::Tensor time = timestep_embedding(
      timesteps.to(sample.device()).reshape({-1}).expand({batch}),
      config_.block_out_channels.front(), config_.flip_sin_to_cos, config_.freq_shift);
  const UNetContext context = {at::silu(net_->time_embedding(time.to(dtype))),
                               encoder_hidden_states.to(dtype)};

  // Convolutions run up to a third faster on the CPU when channels lie last, and attention needs no
  // transposition; the result goes back to the usual order, in which callers draw noise.
  at::Tensor hidden = sample.to(dtype).contiguous(at::MemoryFormat::ChannelsLast);
  if (config_.center_input_sample) hidden = 2 * hidden - 1;
  hidden = net_->conv_in(hidden);
  std::vector<at::Tensor> skips = {hidden};
  for (const UNetDownBlock& block : net_->down) hidden = block(hidden, context, skips);
  if (net_->mid) hidden = (*net_->mid)(hidden, context);
  for (const UNetUpBlock& block : net_->up) hidden = block(hidden, context, skips);
  hidden = (*net_->conv_out)(at::silu((*net_->norm_out)(hidden)));
  return hidden.to(sample.scalar_type()).contiguous();
}

}  // namespace affiche::diffusion
