// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/latent_preview.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

// Measured on SD 1.4 by keturn: https://discuss.huggingface.co/t/23204/2. From -1 to 1.
const at::Tensor& sd_factors() {
  static const at::Tensor factors = at::tensor({0.298F, 0.207F, 0.208F,   //
                                                0.187F, 0.286F, 0.173F,   //
                                                -0.158F, 0.189F, 0.264F,  //
                                                -0.184F, -0.271F, -0.473F})
                                        .view({4, 3});
  return factors;
}

// Measured on SDXL by T. A. Vass, "Explaining the SDXL latent space" (also in diffusers' guide to
// callbacks). There from 0 to 255: 60 -60 25 -70, 60 -5 15 -50, 60 10 -5 -35 by channel, plus 150,
// 140, 130; here from -1 to 1.
const at::Tensor& sdxl_factors() {
  static const at::Tensor factors =
      at::tensor({60.F, 60.F, 60.F, -60.F, -5.F, 10.F, 25.F, 15.F, -5.F, -70.F, -50.F, -35.F})
          .view({4, 3})
          .div(127.5F);
  return factors;
}

const at::Tensor& sdxl_bias() {
  static const at::Tensor bias = at::tensor({150.F, 140.F, 130.F}).div(127.5F).sub(1);
  return bias;
}

at::Tensor colours(const at::Tensor& latents, const at::Tensor& factors, const at::Tensor& bias) {
  if (latents.dim() != 4 || latents.size(1) != factors.size(0)) {
    fail(Cause::BadInput, "latent preview: expected latents of N x ", factors.size(0),
         " x h x w, found ", latents.sizes());
  }
  const at::Tensor rgb =
      at::matmul(latents.to(at::kCPU, at::kFloat).permute({0, 2, 3, 1}), factors);
  // What is not a number becomes black: a preview says what is there, the guard after the step
  // acts.
  const at::Tensor levels = ((rgb + bias + 1) * 127.5).nan_to_num(0).clamp(0, 255);
  return levels.round().to(at::kByte).contiguous();
}

// 3 x size x size in [-1, 1]: slow waves, of other lengths and directions in each channel, so that
// all colours occur beside all others.
at::Tensor many_colours(std::int64_t size) {
  const at::Tensor at = at::arange(size, at::kFloat) * (2 * std::numbers::pi / 256);
  std::vector<at::Tensor> channels;
  for (const auto& [across, down] : {std::pair<double, double>{2, 1}, {-1, 3}, {3, 2}}) {
    channels.push_back((across * at + down * at.unsqueeze(1)).sin());
  }
  return at::stack(channels);
}

}  // namespace

at::Tensor latent_to_rgb(const at::Tensor& latents, LatentFamily family) {
  if (family == LatentFamily::StableDiffusion) {
    return colours(latents, sd_factors(), at::zeros({3}));
  }
  return colours(latents, sdxl_factors(), sdxl_bias());
}

// Least squares of the mean colour of each latent's pixels on the latent's channels and 1.
LatentPreview::LatentPreview(const Autoencoder& vae) {
  if (vae.in_channels() != 3) {
    fail(Cause::BadInput, "latent preview: expected an autoencoder of RGB pictures, found ",
         vae.in_channels(), " channels");
  }
  const std::int64_t channels = vae.latent_channels();
  const at::Tensor picture = many_colours(256).unsqueeze(0);
  const auto device = vae.parameters().slots().front().tensor->device();
  const at::Tensor mean = vae.encode(picture.to(device)).mean.to(at::kCPU, at::kDouble);
  if (!at::isfinite(mean).all().item<bool>()) {
    fail(Cause::BadInput, "latent preview: the autoencoder's latents are not finite");
  }
  const auto rows = [](const at::Tensor& map) { return map[0].flatten(1).t(); };
  const at::Tensor targets =
      rows(at::adaptive_avg_pool2d(picture.to(at::kDouble), {mean.size(2), mean.size(3)}));
  const at::Tensor inputs = at::cat({rows(mean), at::ones({targets.size(0), 1}, at::kDouble)}, 1);
  // A little ridge keeps a channel that never changes harmless.
  const at::Tensor square = inputs.t().matmul(inputs) + 1e-6 * at::eye(channels + 1, at::kDouble);
  const at::Tensor solution =
      at::linalg_solve(square, inputs.t().matmul(targets)).to(at::kFloat).contiguous();
  factors_ = solution.slice(0, 0, channels);
  bias_ = solution[channels];
}

at::Tensor LatentPreview::operator()(const at::Tensor& latents) const {
  return colours(latents, factors_, bias_);
}

}  // namespace affiche::diffusion
