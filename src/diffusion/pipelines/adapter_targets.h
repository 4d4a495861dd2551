// SPDX-License-Identifier: Apache-2.0
// The networks of a model that LoRA files may change, under the names that files have for them.
#pragma once

#include <vector>

#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/components.h"

namespace affiche::diffusion {

// The networks must outlive whoever holds the targets. A second text encoder makes it a model of
// Stable Diffusion XL.
std::vector<AdapterTarget> adapter_targets(Parameters& unet, Parameters& text_encoder,
                                           Parameters* text_encoder_2);
std::vector<AdapterTarget> adapter_targets(Components& parts);

}  // namespace affiche::diffusion
