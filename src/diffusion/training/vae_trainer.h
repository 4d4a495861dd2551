// SPDX-License-Identifier: Apache-2.0
// Trains the autoencoder on drawn pictures and encodes pictures into latents.
#pragma once

#include <filesystem>
#include <memory>

#include "diffusion/nn/autoencoder_kl.h"
#include "diffusion/training/loop.h"
#include "diffusion/training/pictures.h"

namespace affiche::diffusion {

struct VaeTraining {
  LoopOptions loop;
  std::filesystem::path model;  // diffusers folder; vae/config.json gives the architecture
  int picture = 256;            // drawn at this size …
  int crop = 128;               // … and trained on square windows of this one
  int batch = 8;
  double kl_weight = 2e-4;  // of the mean divergence per latent value
  // Most deviation of the noise added to latents, drawn anew for each picture. A decoder that has
  // seen it mends the small errors that sampling leaves.
  double latent_noise = 0;
  bool decoder_only = false;  // keeps the encoder, and so all latents made with it
  at::ScalarType type = at::kBFloat16;
  at::Device device = at::kCPU;
};

// Trains, measures the latents' spread, and writes vae/diffusion_pytorch_model.safetensors (fp16)
// and scaling_factor in vae/config.json. Starts from the folder's weights when they exist.
// Sheets of pictures beside what came back of them go to the work folder by `files`.
void train_vae(const VaeTraining& training, const PictureFiles& files, const LoopHooks& hooks);

// Loads the autoencoder of a diffusers folder.
std::unique_ptr<AutoencoderKL> load_vae(const std::filesystem::path& model, at::ScalarType type,
                                        at::Device device = at::kCPU);

// The reconstruction loss of two N×3×H×W pictures: absolute differences of pixels, of gradients at
// three scales, and of 8×8 means, so that neither edges nor flat colours are neglected.
at::Tensor reconstruction_loss(const at::Tensor& picture, const at::Tensor& target);

}  // namespace affiche::diffusion
