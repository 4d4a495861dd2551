// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/deduce.h"
#include "diffusion/checkpoints/ldm_names.h"
#include "diffusion/checkpoints/shapes.h"

namespace affiche::diffusion {
namespace {

constexpr std::int64_t kGroups = 32;
constexpr std::int64_t kLatentChannels = 4;

// Whether a configuration is that of an AutoencoderTiny, which has some keys of the other kind too.
bool is_tiny(const Json& config) {
  return config.is_object() && config.contains("encoder_block_out_channels");
}

// A run of tiny blocks behind each convolution, in the order of the layers; layers without tensors
// (ReLU, enlargement) leave gaps in the numbers.
struct TinySide {
  std::vector<std::int64_t> blocks;
  std::vector<std::int64_t> widths;
  std::int64_t in = 0;
  std::int64_t out = 0;
};

TinySide tiny_side(const Shapes& shapes, const std::string& side) {
  constexpr int kMostLayers = 256;
  TinySide result;
  for (int i = 0; i < kMostLayers; ++i) {
    const std::string layer = concat(side, ".layers.", i, ".");
    if (shapes.has(layer + "conv.0.weight")) {
      if (result.blocks.empty()) {
        fail(Cause::BadInput, shapes.what(), ": ", layer, "…: expected a convolution first");
      }
      ++result.blocks.back();
    } else if (shapes.has(layer + "weight")) {
      if (result.in == 0) result.in = shapes.size(layer + "weight", 1);
      result.out = shapes.size(layer + "weight", 0);
      result.widths.push_back(result.out);
      result.blocks.push_back(0);
    }
  }
  if (result.blocks.size() < 2) {
    fail(Cause::BadInput, shapes.what(), ": expected the layers of ", side, ", found ",
         result.blocks.size());
  }
  // The last convolution makes latents or pixels.
  result.blocks.pop_back();
  result.widths.pop_back();
  return result;
}

}  // namespace

Json deduce_vae(const StateDict& tensors, const DeduceOptions& options) {
  const Shapes shapes(tensors, options.what);
  std::vector<std::int64_t> widths;
  for (int level = 0;; ++level) {
    const std::string name = concat("encoder.down_blocks.", level, ".resnets.0.conv1.weight");
    if (!shapes.has(name)) break;
    widths.push_back(shapes.size(name, 0));
  }
  const std::int64_t layers =
      count_tensors(tensors, "encoder.down_blocks.0.resnets.", ".conv1.weight");
  const std::int64_t latents = shapes.size("decoder.conv_in.weight", 1);
  if (widths.empty() || layers == 0) {
    fail(Cause::BadInput, options.what, ": expected the encoder's down blocks, found none");
  }
  Json stated = {
      {"in_channels", shapes.size("encoder.conv_in.weight", 1)},
      {"out_channels", shapes.size("decoder.conv_out.weight", 0)},
      {"latent_channels", latents},
      {"block_out_channels", widths},
      {"layers_per_block", layers},
      {"down_block_types", std::vector<std::string>(widths.size(), "DownEncoderBlock2D")},
      {"up_block_types", std::vector<std::string>(widths.size(), "UpDecoderBlock2D")},
      {"mid_block_add_attention", has_prefix(tensors, "encoder.mid_block.attentions.0.")},
      {"use_quant_conv", shapes.has("quant_conv.weight")},
      {"use_post_quant_conv", shapes.has("post_quant_conv.weight")}};
  const bool tiny = options.like != nullptr && is_tiny(*options.like);
  Json config = completed(std::move(stated), tiny ? nullptr : options.like, [&]() -> Json {
    shapes.check_groups(widths, kGroups);
    if (latents != kLatentChannels) {
      fail(Cause::BadInput, options.what, ": expected an autoencoder with ", kLatentChannels,
           " latent channels, found ", latents,
           "; this file does not say how its latents are scaled: give a folder with config.json");
    }
    return {{"act_fn", "silu"},
            {"norm_num_groups", kGroups},
            {"sample_size", options.sample_size},
            {"scaling_factor", options.scaling_factor}};
  });
  config["_class_name"] = "AutoencoderKL";
  return config;
}

Json deduce_tiny_vae(const StateDict& tensors, const DeduceOptions& options) {
  const Shapes shapes(tensors, options.what);
  const TinySide encoder = tiny_side(shapes, "encoder");
  const TinySide decoder = tiny_side(shapes, "decoder");
  // "block_out_channels" repeats the encoder's here: it decides whether `like` fits.
  Json stated = {{"in_channels", encoder.in},
                 {"out_channels", decoder.out},
                 {"latent_channels", encoder.out},
                 {"block_out_channels", encoder.widths},
                 {"encoder_block_out_channels", encoder.widths},
                 {"decoder_block_out_channels", decoder.widths},
                 {"num_encoder_blocks", encoder.blocks},
                 {"num_decoder_blocks", decoder.blocks}};
  const bool tiny = options.like != nullptr && is_tiny(*options.like);
  Json config = completed(std::move(stated), tiny ? options.like : nullptr, []() -> Json {
    return {{"act_fn", "relu"},      {"upsample_fn", "nearest"}, {"upsampling_scaling_factor", 2},
            {"latent_magnitude", 3}, {"latent_shift", 0.5},      {"force_upcast", false},
            {"scaling_factor", 1.0}};
  });
  config["_class_name"] = "AutoencoderTiny";
  return config;
}

}  // namespace affiche::diffusion
