// SPDX-License-Identifier: Apache-2.0
// The names of a UNet's modules in the layout of the original latent diffusion code
// (input_blocks, middle_block, output_blocks), which SDXL adapters of kohya carry.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "diffusion/nn/parameters.h"

namespace affiche::diffusion {

// "down_blocks.1.attentions.0.proj_in" with two layers a block is "input_blocks.4.1.proj_in".
// `layers_per_block` is that of the configuration. Nothing for a module that this layout lacks.
// `upsampler_index`: the place of an upsampler in its output block, 1 behind a bare ResNet, 2
// behind one with attention.
std::optional<std::string> ldm_module(const std::string& module, std::int64_t layers_per_block,
                                      int upsampler_index = 2);

// The same for a module of this UNet.
std::optional<std::string> ldm_module_of(const Parameters& unet, const std::string& module);

}  // namespace affiche::diffusion
