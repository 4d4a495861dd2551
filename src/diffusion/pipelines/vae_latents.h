// SPDX-License-Identifier: Apache-2.0
// Between pictures and the scaled latents that the UNet works on.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <span>

#include "diffusion/nn/autoencoder.h"
#include "diffusion/nn/latent_preview.h"

namespace affiche::diffusion {

// `picture`: 1 or N x 3 x H x W in [-1, 1] -> N x C x h x w, sampled from what the encoder gives
// (where it gives a distribution) and scaled. One generator draws once for each given picture, and
// a single one is repeated; one per picture draws for each.
at::Tensor encode_picture(const Autoencoder& vae, const at::Tensor& picture,
                          std::span<const at::Generator> generators, std::int64_t pictures,
                          const TilingOptions& tiling = {});

// Latents as the denoiser has them -> as the autoencoder takes them. `shifted`, here and below: by
// the scale and shift of the VAE's config, as in the pipelines of SD3 and Flux.
at::Tensor unscaled_latents(const Autoencoder& vae, const at::Tensor& latents,
                            bool shifted = false);

// What the pictures of latents on their way will about be: N x C x h x w as a scheduler holds them,
// of any scale (noise louder than latents are is turned down) -> N x H x W x 3, uint8, CPU.
at::Tensor preview_pictures(const LatentPreview& preview, const Autoencoder& vae,
                            const at::Tensor& latents, bool shifted = false);

struct Decoded {
  at::Tensor pictures;      // N x 3 x H x W, float32 in [0, 1], on the CPU
  bool in_float32 = false;  // half precision overflowed, so the decoder ran again in float32
};

// latents: N x C x h x w, scaled. Internal when the decoder's output is not finite in float32
// either.
Decoded decode_latents(const Autoencoder& vae, const at::Tensor& latents,
                       const TilingOptions& tiling = {}, bool shifted = false);

}  // namespace affiche::diffusion
