// SPDX-License-Identifier: Apache-2.0
// Between pictures and the scaled latents that the UNet works on.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <span>

#include "diffusion/nn/autoencoder.h"

namespace affiche::diffusion {

// `picture`: 1 or N x 3 x H x W in [-1, 1] -> N x C x h x w, sampled from what the encoder gives
// (where it gives a distribution) and scaled. One generator draws once for each given picture, and
// a single one is repeated; one per picture draws for each.
at::Tensor encode_picture(const Autoencoder& vae, const at::Tensor& picture,
                          std::span<const at::Generator> generators, std::int64_t pictures,
                          const TilingOptions& tiling = {});

// N x C x h x w, scaled -> N x 3 x H x W, float32 in [0, 1], on the CPU.
at::Tensor decode_latents(const Autoencoder& vae, const at::Tensor& latents,
                          const TilingOptions& tiling = {});

}  // namespace affiche::diffusion
