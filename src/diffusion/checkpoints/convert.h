// SPDX-License-Identifier: Apache-2.0
// Writing a model in another layout, or with other numbers.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "diffusion/checkpoints/checkpoint.h"

namespace affiche::diffusion {

enum class ModelLayout { Folder, SingleFile };

struct ConvertOptions {
  ModelLayout layout = ModelLayout::Folder;
  // Of all floating-point tensors; none: as they are.
  std::optional<at::ScalarType> floats = std::nullopt;
  bool replace = false;  // what already lies at the target
  CheckpointOptions read = {};
};

// Reads the model or lone network `from` and writes it to `to`: a folder as diffusers'
// save_pretrained() writes it, or one safetensors file in the layout of latent diffusion. Tensors
// go from the mapped source to the target one by one. The target appears whole or not at all.
// Returns warnings. Refused when the target exists; errors as open_checkpoint().
std::vector<std::string> convert_model(const std::filesystem::path& from,
                                       const std::filesystem::path& to,
                                       const ConvertOptions& options);

// The same for a checkpoint that was opened from `from` and may have been changed since.
std::vector<std::string> write_model(const Checkpoint& checkpoint,
                                     const std::filesystem::path& from,
                                     const std::filesystem::path& to,
                                     const ConvertOptions& options);

}  // namespace affiche::diffusion
