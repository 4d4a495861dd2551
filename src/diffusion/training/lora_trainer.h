// SPDX-License-Identifier: Apache-2.0
// Trains a low-rank adaptation (Hu et al. 2021) of a model's UNet on a folder of captioned
// pictures.
#pragma once

#include <filesystem>

#include "diffusion/training/base_trainer.h"
#include "diffusion/training/loop.h"
#include "diffusion/training/pictures.h"

namespace affiche::diffusion {

struct LoraTraining {
  LoopOptions loop;
  std::filesystem::path model;  // diffusers folder
  std::filesystem::path data;   // pictures, each with a .txt caption
  std::filesystem::path out;    // safetensors file to write
  std::int64_t rank = 8;
  int batch = 4;
  int width = 256, height = 256;  // pictures are scaled and cut to this size; multiples of 8
  double drop_captions = 0.1;
  bool convolutions = false;  // adapts these too: for a look that lies in shapes and edges
  at::ScalarType type = at::kBFloat16;
};

// Adapts the attention and feed-forward layers, and the convolutions on request, and writes fp16
// factors under diffusers' PEFT names, "unet.<layer>.lora_A.weight" and "….lora_B.weight"; the
// delta is B A, without another scale.
void train_lora(const LoraTraining& training, const PictureReader& read, const LoopHooks& hooks);

// The factors of an adaptation, shown in a UNet's slots as weight + B A, differentiably.
class LoraFactors {
 public:
  // Remembers the slots' tensors and adds A (normal) and B (zero) per layer: r×in and out×r, for
  // convolutions r×in×h×w and out×r×1×1.
  LoraFactors(Parameters& unet, Trainable& trainable, std::int64_t rank, bool convolutions,
              at::Generator generator);
  void show_masters(at::ScalarType type) const;
  void show_averages(at::ScalarType type) const;
  StateDict file_tensors() const;
  std::size_t layers() const { return layers_.size(); }

 private:
  struct Layer {
    std::string name;  // without ".weight"
    at::Tensor* slot;
    at::Tensor pristine;   // float32
    std::size_t down, up;  // indices of A and B in the trainable
  };
  static at::Tensor adapted_weight(const Layer& layer, const at::Tensor& down,
                                   const at::Tensor& up);

  Trainable& trainable_;
  std::vector<Layer> layers_;
};

}  // namespace affiche::diffusion
