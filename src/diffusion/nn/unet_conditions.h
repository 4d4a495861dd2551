// SPDX-License-Identifier: Apache-2.0
// What a UNet or ControlNet is told beside sample, time and text.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

namespace affiche::diffusion {

// Undefined tensors are not given. A network refuses what its config asks for and is missing, and
// what is given and has no use in it.
struct UNetConditions {
  // B x time_cond_proj_dim: the guidance embedding of LCM.
  at::Tensor timestep_cond;
  // B, int64, from 0 to num_class_embeds - 1: the noise level of the x4 upscaler.
  at::Tensor class_labels;
  // B x D and B x N (6 for SDXL), with D + N * addition_time_embed_dim =
  // projection_class_embeddings_input_dim: addition_embed_type "text_time".
  at::Tensor text_embeds, time_ids;
  // What a ControlNet gives for the UNet, both or none: one tensor per skip, in the order of the
  // down path, and one for the middle; B x C x h x w, or 1 instead of h and w.
  std::vector<at::Tensor> down_block_additional_residuals;
  at::Tensor mid_block_additional_residual;
};

}  // namespace affiche::diffusion
