// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "diffusion/weights/state_dict.h"

namespace affiche::fuzz {

// Reads every element, so that a tensor that reaches beyond its file is found out.
void read_all(const diffusion::StateDict& tensors);

}  // namespace affiche::fuzz
