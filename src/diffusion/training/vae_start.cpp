// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/vae_start.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <string>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

constexpr std::int64_t kCarried = 8;
constexpr double kConstant =
    3;  // larger ones make the first steps too long: Adam moves every weight alike

// Orthogonal rows: lightness, red against blue, green against both; the differences enlarged,
// because pictures spread less along them.
at::Tensor colour_mix() {
  const double y = 1 / std::sqrt(3.0), u = 1.4 / std::sqrt(2.0), v = 1.4 / std::sqrt(6.0);
  return at::tensor({y, y, y, u, 0.0, -u, -v, 2 * v, -v}, at::kFloat).view({3, 3});
}

bool carries(const std::string& name) {
  return name.find("samplers.0.conv.weight") != std::string::npos ||
         name.find("conv_shortcut.weight") != std::string::npos;
}

// The kernel by which one channel passes a convolution: the four pixels that become one when
// halving, a tent after doubling, the pixel itself in a 1×1 convolution.
at::Tensor passing_kernel(const std::string& name, bool constant) {
  if (name.find("conv_shortcut") != std::string::npos) return at::ones({1, 1});
  at::Tensor kernel = at::zeros({3, 3});
  if (name.find("downsamplers") != std::string::npos)
    return kernel.slice(0, 0, 2).slice(1, 0, 2).fill_(0.25), kernel;
  if (constant) return kernel[1][1].fill_(1), kernel;  // the tent would lose some at the border
  const at::Tensor tent = at::tensor({0.25, 0.5, 0.25}, at::kFloat);
  return at::outer(tent, tent);
}

class Start {
 public:
  explicit Start(Parameters& parameters) : parameters_(parameters) {}
  at::Tensor& operator[](const std::string& name) const {
    const Slot* slot = parameters_.find(name);
    if (slot == nullptr)
      fail(Cause::Usage, "autoencoder: expected a tensor ", name, ", found none");
    return *slot->tensor;
  }
  void silence_residuals() const {
    for (const Slot& slot : parameters_.slots())
      if (slot.name.find("conv2.weight") != std::string::npos ||
          slot.name.find("to_out.0.weight") != std::string::npos)
        slot.tensor->zero_();
  }
  void pass_through() const {
    for (const Slot& slot : parameters_.slots()) {
      if (!carries(slot.name)) continue;
      slot.tensor->mul_(0.5).slice(0, 0, kCarried).zero_();
      for (std::int64_t i = 0; i < kCarried; ++i)
        (*slot.tensor)[i][i].copy_(passing_kernel(slot.name, i >= 6));
    }
  }
  // The first three inputs become the eight carried channels.
  void enter(const std::string& conv) const {
    at::Tensor& weight = (*this)[conv + ".weight"];
    at::Tensor& bias = (*this)[conv + ".bias"];
    weight.slice(0, 0, kCarried).zero_();
    for (std::int64_t i = 0; i < 3; ++i) {
      weight[i][i][1][1].fill_(1);
      weight[i + 3][i][1][1].fill_(-1);
    }
    bias[6].fill_(kConstant);
    bias[7].fill_(-kConstant);
  }
  // The carried channels become the first three outputs.
  void leave(const std::string& norm, const std::string& conv, std::int64_t groups) const {
    at::Tensor& gain = (*this)[norm + ".weight"];
    const auto members = static_cast<double>(gain.size(0)) / static_cast<double>(groups);
    if (members < kCarried)
      fail(Cause::Usage,
           "autoencoder: expected at least 8 channels in a group of the last norm, found ", members,
           "; lower norm_num_groups");
    gain.slice(0, 0, 6).fill_(kConstant * std::sqrt(2 / members));
    at::Tensor& weight = (*this)[conv + ".weight"];
    weight.mul_(0.1).slice(1, 0, kCarried).zero_();
    for (std::int64_t i = 0; i < 3; ++i) {
      weight[i][i][1][1].fill_(1);
      weight[i][i + 3][1][1].fill_(-1);
    }
  }

 private:
  Parameters& parameters_;
};

}  // namespace

void start_as_box_filter(AutoencoderKL& vae) {
  const c10::NoGradGuard no_grad;
  const Start start(vae.parameters());
  start.silence_residuals();
  start.pass_through();
  start.enter("encoder.conv_in");
  start.leave("encoder.conv_norm_out", "encoder.conv_out", vae.config().norm_num_groups);
  start.enter("decoder.conv_in");
  start.leave("decoder.conv_norm_out", "decoder.conv_out", vae.config().norm_num_groups);

  const std::int64_t latents = vae.config().latent_channels;
  at::Tensor& quant = start["quant_conv.weight"];
  quant.copy_(at::eye(2 * latents).view(quant.sizes()));
  quant.slice(0, 0, 3).slice(1, 0, 3).copy_(colour_mix().view({3, 3, 1, 1}));
  quant.slice(0, latents).zero_();
  start["quant_conv.bias"].slice(0, latents).fill_(-6);  // deviation 0.05
  at::Tensor& post = start["post_quant_conv.weight"];
  post.copy_(at::eye(latents).view(post.sizes()));
  post.slice(0, 0, 3).slice(1, 0, 3).copy_(at::linalg_inv(colour_mix()).view({3, 3, 1, 1}));
}

}  // namespace affiche::diffusion
