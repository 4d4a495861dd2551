// SPDX-License-Identifier: Apache-2.0
// LoRA files: low-rank changes of a network's weights, in the formats that trainers write.
//   kohya   lora_unet_down_blocks_0_…_to_q.lora_down.weight / .lora_up.weight / .alpha
//   PEFT    unet.down_blocks.0.….to_q.lora_A.weight / .lora_B.weight, the scale in the metadata
//           `lora_adapter_metadata` or folded into the tensors; what PEFT itself saves
//           (base_model.model.…) has it in adapter_config.json beside the file
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

// The change of one weight: scale * up * down, convolutions flattened behind their first dimension.
struct LoraLayer {
  std::string module;  // as the file names it, without the ending: "lora_unet_mid_block_…_to_q"
  at::Tensor down;     // rank x in, or rank x in x k x k
  at::Tensor up;       // out x rank, or out x rank x 1 x 1
  double scale = 1.0;  // alpha / rank (alpha / sqrt(rank) with rank-stabilised LoRA)
  std::int64_t rank() const { return down.size(0); }
};

struct LoraFile {
  std::string name;  // for messages: the path
  std::vector<LoraLayer> layers;
  std::map<std::string, std::string> metadata;
};

// Reads and checks a file. BadInput, naming the file and the tensor: nothing that looks like LoRA,
// a half without its other half, ranks that differ, values that are not finite, a method that is
// not built (LoHa, LoKr, DoRA, Tucker factors). Thread-safe.
LoraFile load_lora(const std::filesystem::path& path);
// The same from tensors in memory.
LoraFile parse_lora(const StateDict& tensors, const std::map<std::string, std::string>& metadata,
                    const std::string& name);

// The name of a module in kohya's format: kohya_module("lora_unet", "mid_block.attentions.0") is
// "lora_unet_mid_block_attentions_0".
std::string kohya_module(const std::string& prefix, const std::string& module);

}  // namespace affiche::diffusion
