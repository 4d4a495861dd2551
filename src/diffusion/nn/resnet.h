// SPDX-License-Identifier: Apache-2.0
// Convolutional blocks that the UNet and the autoencoder share.
#pragma once

#include <optional>

#include "diffusion/nn/layers.h"

namespace affiche::diffusion {

struct ResnetOptions {
  std::int64_t groups = 32;
  double eps = 1e-6;
  std::int64_t time_width = 0;  // 0: no time embedding
  NormSums sums = NormSums::Exact;
};

// x + conv2(silu(norm2(conv1(silu(norm1(x))) + time))), with a 1x1 convolution on x when the number
// of channels changes.
class ResnetBlock2D {
 public:
  ResnetBlock2D(Parameters& parameters, const std::string& name, std::int64_t in, std::int64_t out,
                const ResnetOptions& options);
  // x: B x in x H x W; activated_time: silu of the time embedding, B x time_width, or undefined.
  at::Tensor operator()(const at::Tensor& x, const at::Tensor& activated_time = {}) const;

 private:
  GroupNorm norm1_;
  Conv2d conv1_;
  std::optional<Linear> time_emb_proj_;
  GroupNorm norm2_;
  Conv2d conv2_;
  std::optional<Conv2d> conv_shortcut_;
};

// Halves height and width (rounded up with padding 1). Padding 0 pads one row and column below and
// right, as the autoencoder does.
class Downsample2D {
 public:
  Downsample2D(Parameters& parameters, const std::string& name, std::int64_t channels,
               std::int64_t padding);
  at::Tensor operator()(const at::Tensor& x) const;

 private:
  Conv2d conv_;
  bool pad_below_right_;
};

// Nearest neighbour to height x width, then a 3x3 convolution.
class Upsample2D {
 public:
  Upsample2D(Parameters& parameters, const std::string& name, std::int64_t channels);
  at::Tensor operator()(const at::Tensor& x, std::int64_t height, std::int64_t width) const;

 private:
  Conv2d conv_;
};

}  // namespace affiche::diffusion
