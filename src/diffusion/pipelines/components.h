// SPDX-License-Identifier: Apache-2.0
// The parts of a Stable Diffusion 1.x or 2.x model as a diffusers folder holds them.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "diffusion/checkpoints/checkpoint.h"
#include "diffusion/nn/autoencoder_kl.h"
#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/unet_2d_condition.h"
#include "diffusion/text/clip_tokenizer.h"

namespace affiche::diffusion {

struct Components {
  CLIPTokenizer tokenizer;
  std::unique_ptr<CLIPTextModel> text_encoder;
  std::unique_ptr<UNet2DConditionModel> unet;
  std::unique_ptr<AutoencoderKL> vae;
  std::string scheduler;                    // class name of the folder's own scheduler
  nlohmann::ordered_json scheduler_config;  // as written, defaults not filled in
};

// Builds every network and loads its weights, converted to `dtype` on `device`. Errors as
// open_checkpoint(); BadInput for another pipeline class (named, never guessed), for configurations
// that are not built, and for weights that do not fit.
Components load_components(const std::filesystem::path& path, at::ScalarType dtype,
                           at::Device device, const CheckpointOptions& options = {});

}  // namespace affiche::diffusion
