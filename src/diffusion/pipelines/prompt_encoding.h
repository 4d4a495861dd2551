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
  at::Tensor prompt_embeds;           // N x T x D, T = 77 x chunks
  at::Tensor negative_prompt_embeds;  // likewise; undefined without guidance
  at::Tensor pooled_prompt_embeds;    // N x P, Stable Diffusion XL only
  at::Tensor negative_pooled_prompt_embeds;
};

// As diffusers' encode_prompt: clip_skip, which the negative prompt ignores; both encoders of
// Stable Diffusion XL, with the zeros that an empty negative prompt may stand for.
//
// With long_prompts, the chunks of a prompt (text/prompt_chunks.h) are encoded one by one and stand
// one behind the other; the prompt, its negative and what the second encoder reads get the same
// number of them, the missing ones being those of an empty text. The pooled state is the first
// chunk's. Where prompts of one request differ in length, each is repeated as a whole: that changes
// nothing of its picture. Weights multiply the encoders' output as in A1111, chunk by chunk and
// encoder by encoder.
//
// What was cut off or not understood is said in `warnings`. Usage for clip_skip beyond the layers,
// and for prompts whose lengths have no common multiple below 256 chunks; BadInput for text that is
// not UTF-8 and as read_prompt(). Thread-safe.
PromptEmbeds encode_prompts(const Components& parts, const GenerateRequest& request, bool guided,
                            at::Device device, std::vector<std::string>& warnings);

}  // namespace affiche::diffusion
