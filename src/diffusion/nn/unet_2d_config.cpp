// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/unet_2d_config.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/nn/config_reader.h"

namespace affiche::diffusion {
namespace {

// Which blocks attend; every other type of block is refused.
std::vector<bool> attending(ConfigReader& reader, const char* key, const std::string& with,
                            const std::string& without, std::vector<std::string> fallback,
                            std::size_t levels) {
  const std::vector<std::string> types = reader.texts(key, std::move(fallback));
  std::vector<bool> result;
  for (const std::string& type : types) {
    if (type != with && type != without) {
      reader.refuse(key, concat("only ", with, " and ", without, " are supported"));
    }
    result.push_back(type == with);
  }
  if (result.size() != levels) {
    reader.refuse(key,
                  concat("expected one block for each of the ", levels, " block_out_channels"));
  }
  return result;
}

void refuse_what_is_not_built(ConfigReader& reader) {
  reader.only("encoder_hid_dim");
  reader.only("encoder_hid_dim_type");
  reader.only("class_embed_type");
  reader.only("resnet_time_scale_shift", "\"default\"");
  reader.only("mid_block_scale_factor", "1");
  const std::string act = reader.text("act_fn", "silu");
  if (act != "silu" && act != "swish") reader.refuse("act_fn", "only silu is supported");
}

void refuse_what_the_unet_lacks(ConfigReader& reader) {
  reader.only("mid_block_only_cross_attention", "false");
  reader.only("dual_cross_attention", "false");
  reader.only("class_embeddings_concat", "false");
  reader.only("num_attention_heads");
  reader.only("resnet_skip_time_act", "false");
  reader.only("resnet_out_scale_factor", "1.0");
  reader.only("time_embedding_type", "\"positional\"");
  reader.only("time_embedding_act_fn");
  reader.only("timestep_post_act");
  reader.only("attention_type", "\"default\"");
  reader.only("cross_attention_norm");
  reader.only("reverse_transformer_layers_per_block");
  reader.ignore({"dropout"});  // for training
}

void read_middle(ConfigReader& reader, UNet2DConditionConfig& config) {
  const std::string type = reader.text("mid_block_type", "UNetMidBlock2DCrossAttn");
  if (type != "UNetMidBlock2DCrossAttn" && type != "UNetMidBlock2D") {
    reader.refuse("mid_block_type",
                  "only UNetMidBlock2DCrossAttn, UNetMidBlock2D and null are supported");
  }
  config.mid_attention = type == "UNetMidBlock2DCrossAttn";
  config.mid_block = !reader.is_null("mid_block_type");
}

// Without an addition_embed_type the other options of added embeddings mean nothing, as in
// diffusers.
void read_added_embedding(ConfigReader& reader, UNet2DConditionConfig& config) {
  reader.ignore({"addition_embed_type_num_heads"});
  const std::int64_t width = reader.integer("addition_time_embed_dim", 0);
  const std::int64_t input = reader.integer("projection_class_embeddings_input_dim", 0);
  const std::string type = reader.text("addition_embed_type", "");
  if (type.empty()) return;
  if (type != "text_time") {
    reader.refuse("addition_embed_type", "only \"text_time\" and null are supported");
  }
  if (width == 0) reader.refuse("addition_time_embed_dim", "expected a number for \"text_time\"");
  if (input <= width) {
    reader.refuse("projection_class_embeddings_input_dim",
                  "expected a number above addition_time_embed_dim for \"text_time\"");
  }
  config.addition_time_embed_dim = width;
  config.projection_class_embeddings_input_dim = input;
}

std::int64_t odd(ConfigReader& reader, const char* key) {
  const std::int64_t kernel = reader.integer(key, 3);
  if (kernel % 2 == 0) reader.refuse(key, "expected an odd number");
  return kernel;
}

const std::string kCrossDown = "CrossAttnDownBlock2D";
const std::string kCrossUp = "CrossAttnUpBlock2D";

}  // namespace

void UNet2DConditionConfig::read_trunk(ConfigReader& reader) {
  in_channels = reader.integer("in_channels", 4);
  block_out_channels = reader.integers("block_out_channels", {320, 640, 1280, 1280});
  layers_per_block = reader.per_level("layers_per_block", levels(), 2, ConfigReader::kMostLayers);
  heads = reader.per_level("attention_head_dim", levels(), 8);
  transformer_layers =
      reader.per_level("transformer_layers_per_block", levels(), 1, ConfigReader::kMostLayers);
  cross_attention_dim = reader.per_level("cross_attention_dim", levels(), 1280);
  only_cross_attention = reader.flags_per_level("only_cross_attention", levels());
  down_attention = attending(reader, "down_block_types", kCrossDown, "DownBlock2D",
                             {kCrossDown, kCrossDown, kCrossDown, "DownBlock2D"}, levels());
  read_middle(reader, *this);
  norm_num_groups = reader.integer("norm_num_groups", 32);
  norm_eps = reader.number("norm_eps", 1e-5);
  downsample_padding = reader.any_integer("downsample_padding", 1);
  if (downsample_padding != 0 && downsample_padding != 1) {
    reader.refuse("downsample_padding", "only 0 and 1 are supported");
  }
  time_embedding_dim = 4 * block_out_channels.front();
  num_class_embeds = reader.integer("num_class_embeds", 0);
  read_added_embedding(reader, *this);
  flip_sin_to_cos = reader.flag("flip_sin_to_cos", true);
  freq_shift = reader.number("freq_shift", 0);
  use_linear_projection = reader.flag("use_linear_projection", false);
  upcast_attention = reader.flag("upcast_attention", false);
  refuse_what_is_not_built(reader);
}

UNet2DConditionConfig UNet2DConditionConfig::from_json(const Json& json) {
  ConfigReader reader(json, "UNet2DConditionModel config");
  UNet2DConditionConfig config;
  config.read_trunk(reader);
  config.out_channels = reader.integer("out_channels", 4);
  if (reader.is_list("sample_size")) {
    reader.ignore({"sample_size"});
  } else {
    config.sample_size = reader.integer("sample_size", 0);
  }
  config.up_attention = attending(reader, "up_block_types", kCrossUp, "UpBlock2D",
                                  {"UpBlock2D", kCrossUp, kCrossUp, kCrossUp}, config.levels());
  config.conv_in_kernel = odd(reader, "conv_in_kernel");
  config.conv_out_kernel = odd(reader, "conv_out_kernel");
  config.time_embedding_dim = reader.integer("time_embedding_dim", config.time_embedding_dim);
  config.time_cond_proj_dim = reader.integer("time_cond_proj_dim", 0);
  config.center_input_sample = reader.flag("center_input_sample", false);
  refuse_what_the_unet_lacks(reader);
  reader.finish();
  return config;
}

}  // namespace affiche::diffusion
