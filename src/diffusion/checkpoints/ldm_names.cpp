// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/ldm_names.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

constexpr std::array<LdmPair, 5> kVaeResnet = {{{"norm1", "norm1"},
                                                {"conv1", "conv1"},
                                                {"norm2", "norm2"},
                                                {"conv2", "conv2"},
                                                {"conv_shortcut", "nin_shortcut"}}};
constexpr std::array<LdmPair, 5> kVaeAttention = {{{"group_norm", "norm"},
                                                   {"to_q", "q"},
                                                   {"to_k", "k"},
                                                   {"to_v", "v"},
                                                   {"to_out.0", "proj_out"}}};

// conv_in is input block 0; every layer and every downsampler is one block more.
void add_way_down(ModuleNames& names, const UNetLayout& layout) {
  for (const auto& [own, ldm] : kLdmOutside) names.add(std::string(own), std::string(ldm));
  names.add("class_embedding", "label_emb");
  std::int64_t block = 1;
  for (std::size_t level = 0; level < layout.layers.size(); ++level) {
    const std::string own = concat("down_blocks.", level);
    for (std::int64_t i = 0; i < layout.layers[level]; ++i, ++block) {
      names.add(concat(own, ".resnets.", i), concat("input_blocks.", block, ".0"), kLdmResnet);
      names.add(concat(own, ".attentions.", i), concat("input_blocks.", block, ".1"));
    }
    if (level + 1 < layout.layers.size()) {
      names.add(own + ".downsamplers.0.conv", concat("input_blocks.", block, ".0.op"));
      ++block;
    }
  }
  names.add("mid_block.resnets.0", "middle_block.0", kLdmResnet);
  names.add("mid_block.resnets.1", layout.mid_attention ? "middle_block.2" : "middle_block.1",
            kLdmResnet);
}

// A layer more than on the way down; the upsampler is the last part of its level's last block.
void add_way_up(ModuleNames& names, const UNetLayout& layout) {
  std::int64_t block = 0;
  for (std::size_t i = 0; i < layout.layers.size(); ++i) {
    const std::size_t level = layout.layers.size() - 1 - i;
    const std::string own = concat("up_blocks.", i);
    for (std::int64_t layer = 0; layer <= layout.layers[level]; ++layer, ++block) {
      names.add(concat(own, ".resnets.", layer), concat("output_blocks.", block, ".0"), kLdmResnet);
      names.add(concat(own, ".attentions.", layer), concat("output_blocks.", block, ".1"));
    }
    if (level == 0) continue;
    const char* place = layout.attention[level] ? ".2.conv" : ".1.conv";
    names.add(own + ".upsamplers.0.conv", concat("output_blocks.", block - 1, place));
  }
}

}  // namespace

std::int64_t count_tensors(const StateDict& tensors, const std::string& name,
                           const std::string& suffix) {
  std::int64_t count = 0;
  while (tensors.contains(concat(name, count, suffix))) ++count;
  return count;
}

bool has_prefix(const StateDict& tensors, const std::string& prefix) {
  const auto found = tensors.lower_bound(prefix);
  return found != tensors.end() && found->first.starts_with(prefix);
}

UNetLayout ldm_unet_layout(const StateDict& tensors, const std::string& what) {
  UNetLayout layout{{0}, {}, has_prefix(tensors, "middle_block.1.transformer_blocks.")};
  std::int64_t block = 1;
  for (;; ++block) {
    const std::string name = concat("input_blocks.", block, ".0.");
    if (!has_prefix(tensors, name)) break;
    if (tensors.contains(name + "op.weight")) {
      layout.layers.push_back(0);
    } else if (tensors.contains(name + "in_layers.2.weight")) {
      ++layout.layers.back();
    } else {
      fail(Cause::BadInput, what, ": ", name,
           "…: expected a ResNet (in_layers) or a downsampler (op), found something else; this is "
           "no UNet of Stable Diffusion");
    }
  }
  const auto empty = std::find(layout.layers.begin(), layout.layers.end(), 0);
  if (empty != layout.layers.end()) {
    fail(Cause::BadInput, what, ": expected input_blocks with a ResNet in every level, found none ",
         "in level ", empty - layout.layers.begin());
  }
  std::int64_t output = 0;
  layout.attention.assign(layout.layers.size(), false);
  for (std::size_t level = layout.layers.size(); level-- > 0;) {
    layout.attention[level] =
        has_prefix(tensors, concat("output_blocks.", output, ".1.transformer_blocks."));
    output += layout.layers[level] + 1;
  }
  return layout;
}

UNetLayout diffusers_unet_layout(const StateDict& tensors) {
  UNetLayout layout{{}, {}, has_prefix(tensors, "mid_block.attentions.0.")};
  for (std::size_t level = 0;; ++level) {
    const std::int64_t layers =
        count_tensors(tensors, concat("down_blocks.", level, ".resnets."), ".conv1.weight");
    if (layers == 0) break;
    layout.layers.push_back(layers);
  }
  for (std::size_t i = layout.layers.size(); i-- > 0;) {
    layout.attention.push_back(has_prefix(tensors, concat("up_blocks.", i, ".attentions.0.")));
  }
  return layout;
}

ModuleNames unet_names(const UNetLayout& layout) {
  ModuleNames names;
  add_way_down(names, layout);
  add_way_up(names, layout);
  return names;
}

ModuleNames controlnet_names(const UNetLayout& layout, std::int64_t hint_blocks) {
  ModuleNames names;
  add_way_down(names, layout);
  names.add("controlnet_cond_embedding.conv_in", "input_hint_block.0");
  for (std::int64_t i = 0; i < hint_blocks; ++i) {
    names.add(concat("controlnet_cond_embedding.blocks.", i),
              concat("input_hint_block.", 2 * (i + 1)));
  }
  names.add("controlnet_cond_embedding.conv_out",
            concat("input_hint_block.", 2 * (hint_blocks + 1)));
  std::int64_t outputs = 0;
  for (const std::int64_t layers : layout.layers) outputs += layers + 1;
  for (std::int64_t i = 0; i < outputs; ++i) {
    names.add(concat("controlnet_down_blocks.", i), concat("zero_convs.", i, ".0"));
  }
  names.add("controlnet_mid_block", "middle_block_out.0");
  return names;
}

ModuleNames vae_names(std::int64_t levels, std::int64_t layers) {
  ModuleNames names;
  for (const std::string side : {"encoder", "decoder"}) {
    for (const char* layer : {".conv_in", ".conv_out"}) names.add(side + layer, side + layer);
    names.add(side + ".conv_norm_out", side + ".norm_out");
    for (int i = 0; i < 2; ++i) {
      names.add(concat(side, ".mid_block.resnets.", i), concat(side, ".mid.block_", i + 1),
                kVaeResnet);
    }
    names.add(side + ".mid_block.attentions.0", side + ".mid.attn_1", kVaeAttention);
  }
  for (std::int64_t i = 0; i < levels; ++i) {
    const std::string down = concat("encoder.down_blocks.", i);
    const std::string up = concat("decoder.up_blocks.", i);
    const std::string ldm_down = concat("encoder.down.", i);
    const std::string ldm_up = concat("decoder.up.", levels - 1 - i);
    for (std::int64_t layer = 0; layer <= layers; ++layer) {
      names.add(concat(down, ".resnets.", layer), concat(ldm_down, ".block.", layer), kVaeResnet);
      names.add(concat(up, ".resnets.", layer), concat(ldm_up, ".block.", layer), kVaeResnet);
    }
    names.add(down + ".downsamplers.0.conv", ldm_down + ".downsample.conv");
    names.add(up + ".upsamplers.0.conv", ldm_up + ".upsample.conv");
  }
  for (const char* layer : {"quant_conv", "post_quant_conv"}) names.add(layer, layer);
  return names;
}

}  // namespace affiche::diffusion
