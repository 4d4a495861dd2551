// SPDX-License-Identifier: Apache-2.0
// Files of textual inversion: a word and the vectors that stand for it in the text encoder.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <string>
#include <vector>

#include "diffusion/checkpoints/checkpoint.h"

namespace affiche::diffusion {

struct TextualInversion {
  std::string token;  // the word in the prompt
  std::filesystem::path file;
  at::Tensor vectors;    // n x width of the text encoder, of SDXL's first one; float32, n >= 1
  at::Tensor vectors_2;  // n x width of SDXL's second one; undefined when the file has none
};

// Formats: diffusers' learned_embeds (token -> d or n x d; several tokens make several results),
// A1111's .pt (string_to_param) and .safetensors (emb_params), and clip_l and clip_g for SDXL.
// `token` renames the word; empty: the file's own, else the file's name without its ending.
// NotFound, Refused for a pickle that is not allowed, BadInput naming file and tensor for all else,
// values that are not finite among it.
std::vector<TextualInversion> load_textual_inversion(const std::filesystem::path& file,
                                                     const std::string& token = "",
                                                     const CheckpointOptions& options = {});

// Whose text encoders have this width: "Stable Diffusion 1.x" for 768, "an unknown model".
std::string family_of_text_width(std::int64_t width);

}  // namespace affiche::diffusion
