// SPDX-License-Identifier: Apache-2.0
// First weights for training from scratch.
#pragma once

#include <ATen/core/Generator.h>

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

// Fills every slot with new fp32 CPU tensors, drawn from `generator` in the order of the slots, so
// that a seed gives the same weights everywhere.
//   norms                                        weight 1, bias 0
//   embeddings                                   normal, deviation 0.02 (positions 0.01)
//   conv2 of resnets, proj_out, the UNet's conv_out, to_out of the autoencoder: 0, so that every
//     residual block begins as the identity (Dhariwal and Nichol, arXiv 2105.05233)
//   out_proj and fc2 of text encoders            as others, / sqrt(2 layers) (GPT-2)
//   other weights                                uniform of variance 1 / fan_in; biases 0
void initialize(Parameters& parameters, at::Generator generator);

}  // namespace affiche::diffusion
