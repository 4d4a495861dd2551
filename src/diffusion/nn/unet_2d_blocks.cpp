// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/unet_2d_blocks.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "diffusion/nn/checkpointing.h"

namespace affiche::diffusion {
namespace {

std::unique_ptr<ResnetBlock2D> make_resnet(Parameters& parameters, const std::string& block,
                                           std::int64_t index, std::int64_t in,
                                           const UNetBlockOptions& options) {
  return std::make_unique<ResnetBlock2D>(parameters, concat(block, ".resnets.", index), in,
                                         options.out, options.resnet);
}

std::unique_ptr<Transformer2DModel> make_transformer(Parameters& parameters,
                                                     const std::string& block, std::int64_t index,
                                                     const UNetBlockOptions& options) {
  return std::make_unique<Transformer2DModel>(parameters, concat(block, ".attentions.", index),
                                              options.out, options.transformer);
}

}  // namespace

UNetDownBlock::UNetDownBlock(Parameters& parameters, const std::string& name,
                             const UNetBlockOptions& options) {
  for (std::int64_t i = 0; i < options.layers; ++i) {
    resnets_.push_back(
        make_resnet(parameters, name, i, i == 0 ? options.in : options.out, options));
    if (options.attention) attentions_.push_back(make_transformer(parameters, name, i, options));
  }
  if (options.resample) {
    downsampler_ = std::make_unique<Downsample2D>(parameters, name + ".downsamplers.0", options.out,
                                                  options.downsample_padding);
  }
}

at::Tensor UNetDownBlock::operator()(const at::Tensor& x, const UNetContext& context,
                                     std::vector<at::Tensor>& skips) const {
  at::Tensor hidden = x;
  for (std::size_t i = 0; i < resnets_.size(); ++i) {
    const auto layer = [this, i](const BlockInputs& in) {
      const at::Tensor mixed = (*resnets_[i])(in.hidden, in.time);
      return attentions_.empty() ? mixed : (*attentions_[i])(mixed, in.text);
    };
    hidden = run_block(layer, {hidden, {}, context.activated_time, context.text});
    skips.push_back(hidden);
  }
  if (downsampler_) {
    hidden = (*downsampler_)(hidden);
    skips.push_back(hidden);
  }
  return hidden;
}

UNetMidBlock::UNetMidBlock(Parameters& parameters, const std::string& name,
                           const UNetBlockOptions& options) {
  resnets_.push_back(make_resnet(parameters, name, 0, options.in, options));
  if (!options.attention) return;
  attention_ = make_transformer(parameters, name, 0, options);
  resnets_.push_back(make_resnet(parameters, name, 1, options.out, options));
}

at::Tensor UNetMidBlock::operator()(const at::Tensor& x, const UNetContext& context) const {
  const auto whole = [this](const BlockInputs& in) {
    const at::Tensor hidden = (*resnets_[0])(in.hidden, in.time);
    return attention_ ? (*resnets_[1])((*attention_)(hidden, in.text), in.time) : hidden;
  };
  return run_block(whole, {x, {}, context.activated_time, context.text});
}

UNetUpBlock::UNetUpBlock(Parameters& parameters, const std::string& name,
                         const UNetBlockOptions& options) {
  for (std::int64_t i = 0; i < options.layers; ++i) {
    const std::int64_t skip = i + 1 == options.layers ? options.skip : options.out;
    const std::int64_t in = i == 0 ? options.in : options.out;
    resnets_.push_back(make_resnet(parameters, name, i, in + skip, options));
    if (options.attention) attentions_.push_back(make_transformer(parameters, name, i, options));
  }
  if (options.resample) {
    upsampler_ = std::make_unique<Upsample2D>(parameters, name + ".upsamplers.0", options.out);
  }
}

at::Tensor UNetUpBlock::operator()(const at::Tensor& x, const UNetContext& context,
                                   std::vector<at::Tensor>& skips) const {
  at::Tensor hidden = x;
  for (std::size_t i = 0; i < resnets_.size(); ++i) {
    const auto layer = [this, i](const BlockInputs& in) {
      const at::Tensor mixed = (*resnets_[i])(at::cat({in.hidden, in.skip}, 1), in.time);
      return attentions_.empty() ? mixed : (*attentions_[i])(mixed, in.text);
    };
    hidden = run_block(layer, {hidden, skips.back(), context.activated_time, context.text});
    skips.pop_back();
  }
  if (!upsampler_) return hidden;
  return (*upsampler_)(hidden, skips.back().size(2), skips.back().size(3));
}

}  // namespace affiche::diffusion
