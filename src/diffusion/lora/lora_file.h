// SPDX-License-Identifier: Apache-2.0
// LoRA files: small changes of a network's weights, in the formats that trainers write. How the
// tensors are named is in tensor_names.h, what they mean in low_rank.h, loha.h, lokr.h and dora.h;
// docs/models.md has a table.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "diffusion/lora/tensor_names.h"
#include "diffusion/lora/weight_change.h"
#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

struct LoraLayer {
  std::string module;  // "unet.mid_block.….to_q" or kohya's "lora_unet_mid_block_…_to_q"
  std::string stem;    // the same as the file writes it
  WeightChange change;
};

struct LoraFile {
  std::string name;               // for messages: the path
  std::vector<LoraLayer> layers;  // by module
  std::map<std::string, std::string> metadata;
};

// Reads and checks a file; its tensors are copied, so that nothing touches the disk afterwards.
// The scale of a layer is alpha / rank: alpha is the tensor `.alpha`, else what PEFT's metadata
// (peft_config.h) say, else the rank; a tensor of 0 means the rank too. BadInput, naming the file
// and the tensor: an ending that belongs to no format, a missing factor, ranks that differ, values
// that are not finite. Thread-safe.
LoraFile load_lora(const std::filesystem::path& path);
// The same from tensors in memory.
LoraFile parse_lora(const StateDict& tensors, const std::map<std::string, std::string>& metadata,
                    const std::string& name);

}  // namespace affiche::diffusion
