// SPDX-License-Identifier: Apache-2.0
// Trains a low-rank adaptation (Hu et al. 2021) of a model on a folder of captioned pictures.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

#include "diffusion/training/loop.h"
#include "diffusion/training/lora_data.h"
#include "diffusion/training/lora_factors.h"
#include "diffusion/training/pictures.h"

namespace affiche::diffusion {

struct LoraTraining {
  LoopOptions loop;
  std::filesystem::path model;  // diffusers folder or single file: SD 1.x, 2.x, XL
  std::filesystem::path data;   // pictures, each with a .txt caption
  std::filesystem::path out;    // safetensors file to write
  std::string caption;          // of pictures without a .txt; may be empty
  LoraShape shape;
  // Adapts the convolutions too where the UNet has fewer than 100 million weights: small ones
  // attend at few levels, and their attention alone learns little of a look.
  bool convolutions_of_small = false;
  LoraLayout layout = LoraLayout::Peft;
  LoraDataOptions pictures;
  int batch = 4;
  double drop_captions = 0.1;
  double min_snr = 0;       // of LossOptions
  double noise_offset = 0;  // noise that a whole picture shares, for dark and light grounds
  OptimizerState optimizer = OptimizerState::Full;
  bool checkpointing = false;        // of the UNet's blocks, checkpointing.h
  double held_out = 0;               // share of the pictures kept for validation
  std::vector<std::string> prompts;  // of samples and of the sheet before / after; or captions
  int sample_steps = 20;
  double sample_guidance = 4;
  at::ScalarType type = at::kBFloat16;
  at::Device device = at::kCPU;
};

struct LoraResult {
  std::int64_t steps = 0;
  // From the pictures to those of the model, picture_features().
  double distance_before = 0, distance_after = 0;
  std::filesystem::path sheet;  // pictures, before, after
};

// Writes `out`, checkpoints, log and sample sheets into the loop's folder, and beside `out` a sheet
// of some pictures, the model's before and its own after. Errors as read_lora_pictures() and
// load_components(); Usage for inpainting models, upscalers and LCMs, which learn another way.
LoraResult train_lora(const LoraTraining& training, const PictureFiles& files,
                      const LoopHooks& hooks);

}  // namespace affiche::diffusion
