// SPDX-License-Identifier: Apache-2.0
// The files that hold a network's tensors, one or several, under the names that the file gives.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "diffusion/checkpoints/checkpoint.h"
#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

// One file of any format that we read, told apart by its first bytes: safetensors, GGUF, or a file
// of torch.save(), which is Refused unless allowed.
StateDict load_weight_file(const std::filesystem::path& file, const CheckpointOptions& options);

struct FolderWeights {
  StateDict tensors;
  std::vector<std::filesystem::path> files;
};

// The weights `STEM.safetensors` of a folder as diffusers and transformers save them. In this
// order: the plain file; the plain shards (`STEM.safetensors.index.json`); a variant
// (`STEM.fp16.safetensors`) or its shards (`STEM.safetensors.index.fp16.json`), fp32 before bf16,
// fp16, non_ema and others; then the same as `.bin`, which options must allow. Shards must agree
// with their index. BadInput names folder, file and tensor.
FolderWeights load_folder_weights(const std::filesystem::path& folder, const std::string& stem,
                                  const CheckpointOptions& options);

}  // namespace affiche::diffusion
