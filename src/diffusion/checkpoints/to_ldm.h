// SPDX-License-Identifier: Apache-2.0
// A model's tensors under the names of the original latent diffusion code.
#pragma once

#include <string>
#include <vector>

#include "diffusion/checkpoints/checkpoint.h"

namespace affiche::diffusion {

// One network's, without prefix. BadInput, naming part and tensor, for what that layout lacks.
StateDict part_to_ldm(const CheckpointPart& part);

// A whole model's, with the prefixes of its family. `metadata` becomes the header: what the file
// cannot state otherwise, for other programs as modelspec, for this one as "affiche.model".
// `warnings`: what readers that do not know "affiche.model" will take wrongly.
StateDict checkpoint_to_ldm(const Checkpoint& checkpoint,
                            std::map<std::string, std::string>& metadata,
                            std::vector<std::string>& warnings);

}  // namespace affiche::diffusion
