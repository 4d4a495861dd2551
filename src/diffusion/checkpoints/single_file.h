// SPDX-License-Identifier: Apache-2.0
// Checkpoints of one file: whole models in the layout of the original latent diffusion code, and
// single networks in that layout or in diffusers'.
#pragma once

#include <filesystem>
#include <string>

#include "diffusion/checkpoints/checkpoint.h"

namespace affiche::diffusion {

// As open_checkpoint() and open_part(), for files.
Checkpoint open_single_file(const std::filesystem::path& path, const CheckpointOptions& options);
CheckpointPart open_single_part(const std::filesystem::path& path, const std::string& class_name,
                                const CheckpointOptions& options,
                                const nlohmann::ordered_json* like);

// What the tensors of a file are when they are one network: "UNet2DConditionModel", …, or "" when
// they are none that we know.
std::string lone_network(const StateDict& tensors);

// Whether the tensors are those of a whole model in the layout of latent diffusion.
bool is_whole_model(const StateDict& tensors);

}  // namespace affiche::diffusion
