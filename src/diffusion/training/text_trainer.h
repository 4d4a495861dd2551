// SPDX-License-Identifier: Apache-2.0
// Teaches the text encoder of a base model what captions mean, before there is a UNet to learn from
// it.
#pragma once

#include <filesystem>

#include "diffusion/training/loop.h"

namespace affiche::diffusion {

struct TextTraining {
  LoopOptions loop;
  std::filesystem::path model;  // diffusers folder
  int batch = 64;               // captions a step
};

// Trains the text encoder to tell, at the end of the text and at each place of the padding behind
// it, what the caption tells of its scene: family, colours in OKLab, light, mood and space. A UNet
// that has not learned yet where to look looks everywhere alike, and so finds all of it at once;
// from a text encoder of random weights the same takes it thousands of steps. Writes
// text_encoder/model.safetensors (fp16); starts from it when it exists. The readers of the states
// stay in the checkpoint.
void train_text(const TextTraining& training, const LoopHooks& hooks);

}  // namespace affiche::diffusion
