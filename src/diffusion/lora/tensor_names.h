// SPDX-License-Identifier: Apache-2.0
// How the formats name a module's tensors.
#pragma once

#include <optional>
#include <string>

namespace affiche::diffusion {

struct TensorName {
  std::string module;  // "unet.mid_block.….to_q", or kohya's "lora_unet_mid_block_…_to_q"
  std::string stem;    // the same as the file writes it: "unet.….processor.to_q_lora"
  std::string part;    // "lora_down", "lora_up", "lora_mid", "alpha", "hada_w1_a", "lokr_t2", …
};

// Nothing when the ending belongs to no LoRA format. The endings:
//   .lora_down.weight .lora_up.weight .lora_mid.weight .alpha   kohya
//   .lora_A.weight .lora_B.weight .lora_magnitude_vector        PEFT
//   .processor.to_q_lora.down.weight, self_attn.to_q_lora.…     diffusers' old attention processors
//   .lora.down.weight .lora_linear_layer.down.weight            diffusers between the two
//   .hada_w1_a … .hada_t2, .lokr_w1 … .lokr_t2, .dora_scale     LyCORIS
std::optional<TensorName> split_tensor_name(const std::string& key);

// The name of a module in kohya's format: kohya_module("lora_unet", "mid_block.attentions.0") is
// "lora_unet_mid_block_attentions_0". The way back is ambiguous; look names up in a table made
// from the model's own.
std::string kohya_module(const std::string& prefix, const std::string& module);

}  // namespace affiche::diffusion
