// SPDX-License-Identifier: Apache-2.0
// From prompts to what the UNet reads of them.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/request.h"

namespace affiche::diffusion {

// N pictures (prompts x num_images_per_prompt), in the dtype and on the device of the encoders.
struct PromptEmbeds {
  at::Tensor prompt_embeds;           // N x T x D
  at::Tensor negative_prompt_embeds;  // likewise; undefined without guidance
  at::Tensor pooled_prompt_embeds;    // N x P, Stable Diffusion XL only
  at::Tensor negative_pooled_prompt_embeds;
};

// As diffusers' encode_prompt: clip_skip, which the negative prompt ignores; both encoders of
// Stable Diffusion XL, with the zeros that a missing negative prompt stands for. What was cut off
// is said in `warnings`. Usage for clip_skip beyond the layers, BadInput for text that is not
// UTF-8. Thread-safe.
PromptEmbeds encode_prompts(const Components& parts, const GenerateRequest& request, bool guided,
                            at::Device device, std::vector<std::string>& warnings);

}  // namespace affiche::diffusion
