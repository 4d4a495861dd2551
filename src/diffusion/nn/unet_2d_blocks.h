// SPDX-License-Identifier: Apache-2.0
// The levels of the UNet, named as in the checkpoints (down_blocks.i, mid_block, up_blocks.i).
#pragma once

#include <memory>
#include <vector>

#include "diffusion/nn/attention.h"
#include "diffusion/nn/resnet.h"

namespace affiche::diffusion {

// What one level is made of.
struct UNetBlockOptions {
  std::int64_t in = 0;    // channels that come in
  std::int64_t out = 0;   // channels that go out
  std::int64_t skip = 0;  // up blocks: channels of the skip that belongs to the last layer
  std::int64_t layers = 2;
  bool resample = true;  // ends with a down- or upsampler
  std::int64_t downsample_padding = 1;
  bool attention = true;  // a transformer behind every resnet
  ResnetOptions resnet;
  TransformerOptions transformer;
};

// The forward pass's context, the same for all blocks.
struct UNetContext {
  at::Tensor activated_time;  // silu of the time embedding, B x time width
  at::Tensor text;            // B x T x D
};

class UNetDownBlock {
 public:
  UNetDownBlock(Parameters& parameters, const std::string& name, const UNetBlockOptions& options);
  // Appends the output of every layer and of the downsampler to `skips`.
  at::Tensor operator()(const at::Tensor& x, const UNetContext& context,
                        std::vector<at::Tensor>& skips) const;

 private:
  std::vector<std::unique_ptr<ResnetBlock2D>> resnets_;
  std::vector<std::unique_ptr<Transformer2DModel>> attentions_;
  std::unique_ptr<Downsample2D> downsampler_;
};

// One resnet, then (with attention) a transformer and another resnet.
class UNetMidBlock {
 public:
  UNetMidBlock(Parameters& parameters, const std::string& name, const UNetBlockOptions& options);
  at::Tensor operator()(const at::Tensor& x, const UNetContext& context) const;

 private:
  std::vector<std::unique_ptr<ResnetBlock2D>> resnets_;
  std::unique_ptr<Transformer2DModel> attention_;
};

class UNetUpBlock {
 public:
  UNetUpBlock(Parameters& parameters, const std::string& name, const UNetBlockOptions& options);
  // Takes one skip per layer off the back of `skips`, then upsamples to the size of the next one,
  // so that odd sizes come out as they went in.
  at::Tensor operator()(const at::Tensor& x, const UNetContext& context,
                        std::vector<at::Tensor>& skips) const;

 private:
  std::vector<std::unique_ptr<ResnetBlock2D>> resnets_;
  std::vector<std::unique_ptr<Transformer2DModel>> attentions_;
  std::unique_ptr<Upsample2D> upsampler_;
};

}  // namespace affiche::diffusion
