// SPDX-License-Identifier: Apache-2.0
// What a model on disk is, and what of it is missing or too much, without running it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "diffusion/checkpoints/checkpoint.h"

namespace affiche::diffusion {

struct PartReport {
  struct Tensor {
    std::string name;   // diffusers'
    std::string dtype;  // "F16", "Q4_K"
    std::vector<std::int64_t> shape;
  };
  std::string name;  // "unet", "" for a lone network
  std::string class_name;
  std::int64_t parameters = 0;
  std::uint64_t bytes = 0;                     // of the tensors as they lie on disk
  std::map<std::string, std::int64_t> dtypes;  // tensors of each
  std::vector<Tensor> tensors;
  std::vector<std::string> missing, extra, mismatched;  // tensors, against the architecture
  std::string problem;  // why the architecture cannot be told or built; "" when it can
};

struct ModelReport {
  std::string layout;  // "diffusers folder", "single file", "GGUF", "torch.save() file"
  std::string family;  // "Stable Diffusion XL, inpainting"; "a LoRA file"; "UNet2DConditionModel"
  std::string pipeline_class;  // "" for what is no whole model
  std::vector<PartReport> parts;
  std::map<std::string, std::string> schedulers;   // part and class
  std::map<std::string, std::int64_t> tokenizers;  // part and vocabulary size
  std::vector<std::filesystem::path> files;        // that hold weights
  std::vector<std::string> warnings;
  // Nothing is missing, too much or misshapen, and every part can be built.
  bool complete() const;
};

// Errors as open_checkpoint() for what cannot be read at all.
ModelReport inspect_model(const std::filesystem::path& path, const CheckpointOptions& options);

// The class of the network that `path` holds when it is a lone one (a folder with config.json, or a
// file), else "".
std::string lone_network_at(const std::filesystem::path& path, const CheckpointOptions& options);

}  // namespace affiche::diffusion
