// SPDX-License-Identifier: Apache-2.0
// The text encoders of OpenCLIP (SD 2.x, the second one of SDXL): their tensors carry other names
// than transformers', keep the three projections of attention in one tensor, and the text
// projection transposed.
#pragma once

#include <string>

#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

// `tensors`: names without prefix (`transformer.resblocks.0.…`, `token_embedding.weight`). The
// split projections are views. Entries that transformers has no use for (logit_scale, attn_mask)
// are left out. BadInput, naming `what` and the tensor, for unknown names and impossible shapes.
StateDict from_open_clip(const StateDict& tensors, const std::string& what);

// The inverse; projections are joined, so these tensors are copies.
StateDict to_open_clip(const StateDict& tensors, const std::string& what);

}  // namespace affiche::diffusion
