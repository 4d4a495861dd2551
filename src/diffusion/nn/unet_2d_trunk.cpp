// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/unet_2d_trunk.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace affiche::diffusion {

UNetBlockOptions block_options(const UNet2DConditionConfig& config, std::size_t level) {
  UNetBlockOptions options;
  options.out = config.block_out_channels[level];
  options.layers = config.layers_per_block[level];
  options.downsample_padding = config.downsample_padding;
  options.resnet = {config.norm_num_groups, config.norm_eps, config.time_embedding_dim};
  options.transformer = {config.heads[level],
                         config.transformer_layers[level],
                         config.cross_attention_dim[level],
                         config.norm_num_groups,
                         config.use_linear_projection,
                         config.upcast_attention,
                         config.only_cross_attention[level]};
  return options;
}

UNetTrunk::UNetTrunk(Parameters& parameters, const UNet2DConditionConfig& config, std::string what)
    : config_(config),
      what_(std::move(what)),
      conv_in_(parameters, "conv_in", config.in_channels, config.block_out_channels.front(),
               config.conv_in_kernel, 1, (config.conv_in_kernel - 1) / 2),
      time_embedding_(parameters, "time_embedding", config.block_out_channels.front(),
                      config.time_embedding_dim, config.time_cond_proj_dim) {
  if (config.num_class_embeds > 0) {
    class_embedding_.emplace(parameters, "class_embedding", config.num_class_embeds,
                             config.time_embedding_dim);
  }
  if (config.addition_time_embed_dim > 0) {
    add_embedding_.emplace(parameters, "add_embedding",
                           config.projection_class_embeddings_input_dim, config.time_embedding_dim);
  }
  const std::size_t levels = config.levels();
  for (std::size_t i = 0; i < levels; ++i) {
    UNetBlockOptions options = block_options(config, i);
    options.in = config.block_out_channels[i > 0 ? i - 1 : 0];
    options.resample = i + 1 < levels;
    options.attention = config.down_attention[i];
    down_.emplace_back(parameters, concat("down_blocks.", i), options);
  }
  if (config.mid_block) {
    UNetBlockOptions options = block_options(config, levels - 1);
    options.in = options.out;
    options.attention = config.mid_attention;
    options.transformer.only_cross_attention = false;
    mid_.emplace(parameters, "mid_block", options);
  }
}

void UNetTrunk::expect(const at::Tensor& given, bool wanted, const char* name, const char* key,
                       at::IntArrayRef shape) const {
  if (given.defined() && !wanted) {
    fail(Cause::BadInput, what_, ": \"", name, "\" is given, but the config has no ", key,
         "; this model takes no such condition");
  }
  if (wanted && !given.defined()) {
    fail(Cause::BadInput, what_, ": \"", name, "\" is missing; the config's ", key,
         " asks for a tensor of ", shape);
  }
  if (wanted && given.sizes() != shape) {
    fail(Cause::BadInput, what_, ": \"", name, "\": expected a tensor of ", shape, ", found ",
         given.sizes());
  }
}

void UNetTrunk::check_conditions(std::int64_t batch, const UNetConditions& conditions) const {
  expect(conditions.timestep_cond, config_.time_cond_proj_dim > 0, "timestep_cond",
         "time_cond_proj_dim", {batch, config_.time_cond_proj_dim});
  expect(conditions.class_labels, class_embedding_.has_value(), "class_labels", "num_class_embeds",
         {batch});
  if (class_embedding_ &&
      (conditions.class_labels.scalar_type() != at::kLong ||
       conditions.class_labels.min().item<std::int64_t>() < 0 ||
       conditions.class_labels.max().item<std::int64_t>() >= config_.num_class_embeds)) {
    fail(Cause::BadInput, what_, ": \"class_labels\": expected int64 from 0 to ",
         config_.num_class_embeds - 1);
  }
  const bool text_time = add_embedding_.has_value();
  const at::Tensor& ids = conditions.time_ids;
  const std::int64_t count = ids.defined() && ids.dim() == 2 ? ids.size(1) : 6;
  const std::int64_t width =
      config_.projection_class_embeddings_input_dim - count * config_.addition_time_embed_dim;
  expect(ids, text_time, "time_ids", "addition_embed_type", {batch, count});
  expect(conditions.text_embeds, text_time, "text_embeds", "addition_embed_type", {batch, width});
}

at::Tensor UNetTrunk::added_embedding(const UNetConditions& conditions) const {
  const at::Tensor times =
      timestep_embedding(conditions.time_ids.flatten(), config_.addition_time_embed_dim,
                         config_.flip_sin_to_cos, config_.freq_shift)
          .reshape({conditions.time_ids.size(0), -1});
  const at::Tensor text = conditions.text_embeds;
  return (*add_embedding_)(at::cat({text.to(dtype()), times.to(text.device(), dtype())}, -1));
}

UNetContext UNetTrunk::context(const at::Tensor& sample, const at::Tensor& timesteps,
                               const at::Tensor& encoder_hidden_states,
                               const UNetConditions& conditions) const {
  const bool fits = sample.dim() == 4 && sample.size(1) == config_.in_channels &&
                    (timesteps.numel() == 1 || timesteps.numel() == sample.size(0)) &&
                    encoder_hidden_states.dim() == 3 &&
                    encoder_hidden_states.size(0) == sample.size(0) &&
                    encoder_hidden_states.size(2) == config_.cross_attention_dim.front();
  if (!fits) {
    fail(Cause::BadInput, what_, ": expected a sample of B x ", config_.in_channels,
         " x H x W, one or B timesteps and text of B x T x ", config_.cross_attention_dim.front(),
         "; found ", sample.sizes(), ", ", timesteps.sizes(), ", ", encoder_hidden_states.sizes());
  }
  const std::int64_t batch = sample.size(0);
  check_conditions(batch, conditions);
  const at::Tensor time = timestep_embedding(
      timesteps.to(sample.device()).reshape({-1}).expand({batch}),
      config_.block_out_channels.front(), config_.flip_sin_to_cos, config_.freq_shift);
  const at::Tensor& guidance = conditions.timestep_cond;
  at::Tensor embedding =
      time_embedding_(time.to(dtype()), guidance.defined() ? guidance.to(dtype()) : guidance);
  if (class_embedding_) embedding = embedding + (*class_embedding_)(conditions.class_labels);
  if (add_embedding_) embedding = embedding + added_embedding(conditions);
  return {at::silu(embedding), encoder_hidden_states.to(dtype())};
}

at::Tensor UNetTrunk::enter(const at::Tensor& sample) const {
  // Convolutions run up to a third faster on the CPU when channels lie last, and attention needs no
  // transposition.
  const at::Tensor hidden = sample.to(dtype()).contiguous(at::MemoryFormat::ChannelsLast);
  return conv_in_(config_.center_input_sample ? 2 * hidden - 1 : hidden);
}

at::Tensor UNetTrunk::descend(const at::Tensor& hidden, const UNetContext& context,
                              std::vector<at::Tensor>& skips) const {
  at::Tensor result = hidden;
  for (const UNetDownBlock& block : down_) result = block(result, context, skips);
  return result;
}

at::Tensor UNetTrunk::middle(const at::Tensor& hidden, const UNetContext& context) const {
  return mid_ ? (*mid_)(hidden, context) : hidden;
}

}  // namespace affiche::diffusion
