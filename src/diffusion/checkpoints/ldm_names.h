// SPDX-License-Identifier: Apache-2.0
// Names of the original latent diffusion code (input_blocks, middle_block, output_blocks;
// encoder.down, decoder.up) for the networks that have them, and back.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "diffusion/checkpoints/module_names.h"
#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

// What the numbering of a UNet's blocks depends on. Lists run from the full resolution down.
struct UNetLayout {
  std::vector<std::int64_t> layers;  // ResNets of each level on the way down
  std::vector<bool> attention;       // of each level on the way up: it moves the upsampler by one
  bool mid_attention = true;
};

// From tensors named `input_blocks.…`, of a UNet or a ControlNet. BadInput, naming `what` and the
// block, when the blocks are not numbered as the format has them.
UNetLayout ldm_unet_layout(const StateDict& tensors, const std::string& what);
// From tensors with diffusers' names.
UNetLayout diffusers_unet_layout(const StateDict& tensors);

ModuleNames unet_names(const UNetLayout& layout);
// The UNet's way down, and what ControlNet adds. `hint_blocks`: convolutions of the condition's
// embedding between its first and its last.
ModuleNames controlnet_names(const UNetLayout& layout, std::int64_t hint_blocks);
// `levels`: resolutions of an AutoencoderKL; `layers`: ResNets of each on the way down.
ModuleNames vae_names(std::int64_t levels, std::int64_t layers);

// Counts NAME0SUFFIX, NAME1SUFFIX, … without a gap.
std::int64_t count_tensors(const StateDict& tensors, const std::string& name,
                           const std::string& suffix);
// Whether a tensor's name starts with `prefix`.
bool has_prefix(const StateDict& tensors, const std::string& prefix);

}  // namespace affiche::diffusion
