// SPDX-License-Identifier: Apache-2.0
// What latents will look like, without decoding them: each one's colour as a linear function of its
// channels. Good enough to watch a picture form.
#pragma once

#include <ATen/core/Tensor.h>

#include "diffusion/nn/autoencoder.h"

namespace affiche::diffusion {

// Models whose latents mean the same: those trained with the autoencoder of SD 1.x (also 2.x), and
// with that of SDXL.
enum class LatentFamily { StableDiffusion, StableDiffusionXL };

// latents: N x 4 x h x w as the denoiser has them (not divided by the scaling factor). Result N x h
// x w x 3, uint8, RGB, on the CPU. BadInput for other shapes.
at::Tensor latent_to_rgb(const at::Tensor& latents, LatentFamily family);

// The same for an autoencoder of its own, any number of channels: learned from what it makes of one
// picture with many colours.
class LatentPreview {
 public:
  // Encodes 256 x 256 pixels. BadInput when the autoencoder takes other than 3 channels, or its
  // latents are not numbers.
  explicit LatentPreview(const Autoencoder& vae);
  // latents: N x latent_channels x h x w as decode() takes them. Result as above.
  at::Tensor operator()(const at::Tensor& latents) const;

 private:
  at::Tensor factors_;  // latent_channels x 3
  at::Tensor bias_;     // 3
};

}  // namespace affiche::diffusion
