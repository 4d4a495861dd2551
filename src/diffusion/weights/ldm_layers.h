// SPDX-License-Identifier: Apache-2.0
// How the original latent diffusion code calls the layers that diffusers renamed: diffusers' name
// first. Shared by checkpoints and adapters.
#pragma once

#include <array>
#include <string_view>
#include <utility>

namespace affiche::diffusion {

using LdmPair = std::pair<std::string_view, std::string_view>;

// Modules of a UNet outside its blocks.
inline constexpr std::array<LdmPair, 9> kLdmOutside = {
    {{"conv_in", "input_blocks.0.0"},
     {"time_embedding.linear_1", "time_embed.0"},
     {"time_embedding.linear_2", "time_embed.2"},
     {"time_embedding.cond_proj", "time_embed.cond_proj"},
     {"add_embedding.linear_1", "label_emb.0.0"},
     {"add_embedding.linear_2", "label_emb.0.2"},
     {"conv_norm_out", "out.0"},
     {"conv_out", "out.2"},
     {"mid_block.attentions.0", "middle_block.1"}}};

// Layers of a UNet's ResNet.
inline constexpr std::array<LdmPair, 6> kLdmResnet = {{{"norm1", "in_layers.0"},
                                                       {"conv1", "in_layers.2"},
                                                       {"time_emb_proj", "emb_layers.1"},
                                                       {"norm2", "out_layers.0"},
                                                       {"conv2", "out_layers.3"},
                                                       {"conv_shortcut", "skip_connection"}}};

}  // namespace affiche::diffusion
