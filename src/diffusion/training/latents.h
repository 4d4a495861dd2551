// SPDX-License-Identifier: Apache-2.0
// Pictures encoded once and kept in a file: training reads 8 KB a picture instead of running the
// encoder again in every epoch.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "diffusion/nn/autoencoder_kl.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/pictures.h"

namespace affiche::diffusion {

// Latents of pictures of one size, already multiplied by the autoencoder's scaling factor.
struct LatentSet {
  at::Tensor latents;                 // N×C×h×w bfloat16
  std::vector<std::uint64_t> scenes;  // seeds of the drawn scenes

  std::int64_t size() const { return latents.size(0); }
  // The caption of picture i, a variant chosen by `variant`.
  std::string caption_of(std::int64_t i, std::uint64_t variant) const;
  // Those of the families; all of them when none is named.
  LatentSet of(const std::vector<Family>& families) const;
};

// Encodes `count` scenes at width × height pixels, multiples of 8: those with seeds from `first` on
// whose family is one of `families`, or any when none is named.
LatentSet encode_scenes(const AutoencoderKL& vae, std::uint64_t first, std::int64_t count,
                        int width, int height, const std::vector<Family>& families = {},
                        const std::function<void(std::int64_t done)>& progress = {});
// Drawn sets in a file and back.
void save_latents(const std::filesystem::path& file, const LatentSet& set);
LatentSet load_latents(const std::filesystem::path& file);

}  // namespace affiche::diffusion
