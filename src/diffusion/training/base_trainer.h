// SPDX-License-Identifier: Apache-2.0
// Trains UNet and text encoder of a base model on encoded drawings.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/loop.h"
#include "diffusion/training/pictures.h"
#include "diffusion/training/trainable.h"

namespace affiche::diffusion {

struct BaseTraining {
  LoopOptions loop;
  std::filesystem::path model;  // diffusers folder
  std::vector<std::filesystem::path>
      latents;                   // files of encoded drawings; their size shares the steps
  std::vector<Family> families;  // to learn of them; empty: all
  int batch = 16;
  OptimizerState optimizer = OptimizerState::Full;
  double drop_captions = 0.1;
  double average_decay = 0.9995;
  double min_snr = 0, shift = 1;  // of velocity_loss()
  bool freeze_text = false;       // keeps the text encoder, as train_text() made it
  at::ScalarType type = at::kBFloat16;
  at::Device device = at::kCPU;
};

// Sheets of samples go to the work folder by `files`.
void train_base(const BaseTraining& training, const PictureFiles& files, const LoopHooks& hooks);
// Writes the running averages of a run's checkpoint as fp16 weights of the diffusers folder.
void export_base(const std::filesystem::path& checkpoint, const std::filesystem::path& model);

}  // namespace affiche::diffusion
