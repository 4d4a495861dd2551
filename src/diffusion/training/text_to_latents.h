// SPDX-License-Identifier: Apache-2.0
// What turns prompts into latents: the parts of a diffusers folder that training works on.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "diffusion/nn/autoencoder_kl.h"
#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/unet_2d_condition.h"
#include "diffusion/text/clip_tokenizer.h"
#include "diffusion/training/objective.h"

namespace affiche::diffusion {

inline constexpr const char* kUnetWeights = "unet/diffusion_pytorch_model.safetensors";
inline constexpr const char* kTextWeights = "text_encoder/model.safetensors";

// Tokenizer, text encoder and UNet. Weights are loaded when the folder has them, else drawn from
// `seed`.
struct TextToLatents {
  CLIPTokenizer tokenizer;
  CLIPTextModel text;
  UNet2DConditionModel unet;

  TextToLatents(const std::filesystem::path& model, at::ScalarType type, at::Device device,
                std::uint64_t seed);
  // B×77×width, in the type and on the device of the weights.
  at::Tensor embed(const std::vector<std::string>& prompts) const;
  // Velocities of B×4×h×w latents towards B prompts, float32, with classifier-free guidance; of one
  // prediction alone where that is 1. Lives no longer than this.
  Velocity guided(const std::vector<std::string>& prompts, double guidance) const;
  // Pictures of the prompts, B×3×H×W in [-1, 1], with classifier-free guidance; noise from `seed`.
  at::Tensor generate(const AutoencoderKL& vae, const std::vector<std::string>& prompts, int width,
                      int height, int steps, double guidance, std::uint64_t seed) const;
  // What a person looks at during training: families, colours, light and space.
  static const std::vector<std::string>& sheet_prompts();
};

}  // namespace affiche::diffusion
