// SPDX-License-Identifier: Apache-2.0
// The shape of the model that affiche ships, as the configuration files of a diffusers folder. All
// trainers read the shape from these files, so another shape is a matter of editing them.
#pragma once

#include <filesystem>

namespace affiche::diffusion {

// Longest prompt in tokens, as everywhere in the Stable Diffusion family.
inline constexpr int kTextPositions = 77;

// Writes model_index.json, the tokenizer (learned from the captions of 40,000 scenes) and the
// config.json of text encoder, UNet, autoencoder and scheduler. Weights come from training.
void write_architecture(const std::filesystem::path& folder);

}  // namespace affiche::diffusion
