// SPDX-License-Identifier: Apache-2.0
// A LoRA in memory for every layer that kohya's trainer changes by default.
#pragma once

#include <memory>

#include "diffusion/lora/lora_file.h"
#include "diffusion/nn/parameters.h"

namespace affiche::bench {

// Attention, feed-forward and projections of the transformer blocks, float16 as files have it.
std::shared_ptr<const diffusion::LoraFile> random_lora(const diffusion::Parameters& unet,
                                                       std::int64_t rank, std::uint64_t seed);

}  // namespace affiche::bench
