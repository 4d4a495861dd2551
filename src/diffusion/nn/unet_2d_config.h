// SPDX-License-Identifier: Apache-2.0
// What a UNet2DConditionModel's config.json says. Plain data; lists have one entry per level, from
// the full resolution down.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace affiche::diffusion {

class ConfigReader;

struct UNet2DConditionConfig {
  std::int64_t in_channels = 4;
  std::int64_t out_channels = 4;
  std::int64_t sample_size = 0;  // latent size the model was trained on; 0: not stated; informative
  std::vector<std::int64_t> block_out_channels;
  std::vector<std::int64_t> layers_per_block;
  std::vector<std::int64_t> heads;  // "attention_head_dim", which holds the NUMBER of heads
  std::vector<std::int64_t> transformer_layers;
  std::vector<std::int64_t> cross_attention_dim;
  // Both attentions of a block take their keys from the text; not in the middle, as in diffusers.
  std::vector<bool> only_cross_attention;
  std::vector<bool> down_attention;  // CrossAttnDownBlock2D rather than DownBlock2D
  std::vector<bool> up_attention;    // in the order of up_block_types: from the lowest level up
  bool mid_block = true;
  bool mid_attention = true;  // UNetMidBlock2DCrossAttn rather than UNetMidBlock2D
  std::int64_t norm_num_groups = 32;
  double norm_eps = 1e-5;
  std::int64_t downsample_padding = 1;
  std::int64_t conv_in_kernel = 3;
  std::int64_t conv_out_kernel = 3;
  std::int64_t time_embedding_dim = 0;  // width behind the time embedding
  std::int64_t time_cond_proj_dim = 0;  // width of the guidance embedding; 0: none
  std::int64_t num_class_embeds = 0;    // rows of class_embedding; 0: none
  // addition_embed_type "text_time": width of one embedded time id, and of the whole vector that
  // add_embedding takes; 0: none.
  std::int64_t addition_time_embed_dim = 0;
  std::int64_t projection_class_embeddings_input_dim = 0;
  bool flip_sin_to_cos = true;
  double freq_shift = 0;
  bool center_input_sample = false;
  bool use_linear_projection = false;
  bool upcast_attention = false;

  std::size_t levels() const { return block_out_channels.size(); }

  // A diffusers config.json; defaults as in diffusers. Options that are not built (other block
  // types, other class and added embeddings, …) are refused by their key: BadInput.
  static UNet2DConditionConfig from_json(const nlohmann::ordered_json& json);
  // Reads the options of the entrance, the down path and the middle, which a ControlNet has too,
  // and refuses what is not built there.
  void read_trunk(ConfigReader& reader);
};

}  // namespace affiche::diffusion
