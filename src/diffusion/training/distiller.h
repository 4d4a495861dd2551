// SPDX-License-Identifier: Apache-2.0
// Teaches a LoRA to do in one step, without guidance, what its model does in several with it
// (Salimans and Ho 2022; Meng et al. 2023). As a LoRA it leaves the model as it is, and it can be
// worn with a brand's.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <vector>

#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/loop.h"
#include "diffusion/training/objective.h"
#include "diffusion/training/pictures.h"

namespace affiche::diffusion {

struct Distillation {
  LoopOptions loop;
  std::filesystem::path model;                 // diffusers folder of a velocity model, the teacher
  std::vector<std::filesystem::path> latents;  // files of encoded drawings
  std::vector<Family> families;                // to learn of them; empty: all
  std::filesystem::path out;                   // safetensors file to write, in PEFT's layout
  int student_steps = 8;                       // that a picture takes with the LoRA
  int teacher_steps = 2;                       // of the model, for each of these
  double guidance = 3;                         // of the model
  std::int64_t rank = 16;                      // of all layers, convolutions too
  int batch = 16;
  at::ScalarType type = at::kBFloat16;
  at::Device device = at::kCPU;
};

// Where a picture with this noise starts its student's step k (B, int64), where it ends, and the
// velocity that takes it there, by the teacher's steps.
struct StudentStep {
  at::Tensor sample, timesteps, velocity;
};
StudentStep student_step(const NoiseSchedule& schedule, const Velocity& teacher,
                         const at::Tensor& latents, const at::Tensor& noise, const at::Tensor& k,
                         int student_steps, int teacher_steps);

// Writes `out`; checkpoint, log and sample sheets go to the loop's folder. Errors as train_base().
void distil(const Distillation& training, const PictureFiles& files, const LoopHooks& hooks);

}  // namespace affiche::diffusion
