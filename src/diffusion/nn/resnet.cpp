// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/resnet.h"

#include <ATen/ATen.h>

namespace affiche::diffusion {

ResnetBlock2D::ResnetBlock2D(Parameters& parameters, const std::string& name, std::int64_t in,
                             std::int64_t out, const ResnetOptions& options)
    : norm1_(parameters, name + ".norm1", options.groups, in, options.eps, options.sums),
      conv1_(parameters, name + ".conv1", in, out, 3, 1, 1),
      norm2_(parameters, name + ".norm2", options.groups, out, options.eps, options.sums),
      conv2_(parameters, name + ".conv2", out, out, 3, 1, 1) {
  if (options.time_width > 0) {
    time_emb_proj_.emplace(parameters, name + ".time_emb_proj", options.time_width, out);
  }
  if (in != out) conv_shortcut_.emplace(parameters, name + ".conv_shortcut", in, out, 1);
}

at::Tensor ResnetBlock2D::operator()(const at::Tensor& x, const at::Tensor& activated_time) const {
  at::Tensor hidden = conv1_(at::silu(norm1_(x)));
  if (time_emb_proj_) {
    hidden = hidden + (*time_emb_proj_)(activated_time).unsqueeze(-1).unsqueeze(-1);
  }
  hidden = conv2_(at::silu(norm2_(hidden)));
  return (conv_shortcut_ ? (*conv_shortcut_)(x) : x) + hidden;
}

Downsample2D::Downsample2D(Parameters& parameters, const std::string& name, std::int64_t channels,
                           std::int64_t padding)
    : conv_(parameters, name + ".conv", channels, channels, 3, 2, padding),
      pad_below_right_(padding == 0) {}

at::Tensor Downsample2D::operator()(const at::Tensor& x) const {
  return conv_(pad_below_right_ ? at::constant_pad_nd(x, {0, 1, 0, 1}) : x);
}

Upsample2D::Upsample2D(Parameters& parameters, const std::string& name, std::int64_t channels)
    : conv_(parameters, name + ".conv", channels, channels, 3, 1, 1) {}

at::Tensor Upsample2D::operator()(const at::Tensor& x, std::int64_t height,
                                  std::int64_t width) const {
  return conv_(at::upsample_nearest2d(x, {height, width}));
}

}  // namespace affiche::diffusion
