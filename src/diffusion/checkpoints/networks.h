// SPDX-License-Identifier: Apache-2.0
// One network's tensors under diffusers' names, whatever layout they came in.
#pragma once

#include <string>

#include "diffusion/checkpoints/checkpoint.h"
#include "diffusion/checkpoints/deduce.h"

namespace affiche::diffusion {

// The tensors whose names start with `prefix`, without it.
StateDict without_prefix(const StateDict& tensors, const std::string& prefix);

// Name tables and configuration of one network. `tensors` without prefix, in the layout of latent
// diffusion, OpenCLIP, TAESD or diffusers. BadInput names file and tensor for layers that the
// network does not have.
CheckpointPart unet_part(const StateDict& tensors, const DeduceOptions& options);
CheckpointPart controlnet_part(const StateDict& tensors, const DeduceOptions& options);
CheckpointPart vae_part(const StateDict& tensors, const DeduceOptions& options);
CheckpointPart tiny_vae_part(const StateDict& tensors, const DeduceOptions& options);
CheckpointPart text_encoder_part(const StateDict& tensors, const DeduceOptions& options);

}  // namespace affiche::diffusion
