// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/ldm_names.h"

#include <charconv>
#include <string_view>

#include "base/error.h"
#include "diffusion/weights/ldm_layers.h"

namespace affiche::diffusion {
namespace {

std::optional<std::string> resnet(const std::string& place, std::string_view layer) {
  for (const auto& [own, ldm] : kLdmResnet) {
    if (layer == own) return concat(place, ".", ldm);
  }
  return std::nullopt;
}

// Takes "NAME." from the front.
bool take(std::string_view& text, std::string_view name) {
  if (!text.starts_with(name) || text.size() <= name.size() || text[name.size()] != '.') {
    return false;
  }
  text.remove_prefix(name.size() + 1);
  return true;
}

// Takes "NUMBER." from the front.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || number < 0 || number > 999) return std::nullopt;
  if (end == text.data() + text.size() || *end != '.') return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()) + 1);
  return number;
}

// A module of down_blocks.`block` or up_blocks.`block`. Every layer is one LDM block, and so is a
// downsampler; an upsampler is the last part of the block before it.
std::optional<std::string> in_block(bool down, std::string_view rest, std::int64_t layers,
                                    int upsampler_index) {
  const std::optional<std::int64_t> block = take_number(rest);
  if (!block) return std::nullopt;
  const char* const blocks = down ? "input_blocks." : "output_blocks.";
  const std::int64_t first = *block * (layers + 1) + (down ? 1 : 0);
  if (down && rest == "downsamplers.0.conv") return concat(blocks, first + layers, ".0.op");
  if (!down && rest == "upsamplers.0.conv") {
    return concat(blocks, first + layers, ".", upsampler_index, ".conv");
  }
  const bool is_resnet = take(rest, "resnets");
  if (!is_resnet && !take(rest, "attentions")) return std::nullopt;
  const std::optional<std::int64_t> layer = take_number(rest);
  if (!layer || *layer >= (down ? layers : layers + 1)) return std::nullopt;
  const std::string place = concat(blocks, first + *layer, is_resnet ? ".0" : ".1");
  return is_resnet ? resnet(place, rest) : concat(place, ".", rest);
}

}  // namespace

std::optional<std::string> ldm_module(const std::string& module, std::int64_t layers_per_block,
                                      int upsampler_index) {
  std::string_view rest = module;
  if (take(rest, "down_blocks")) return in_block(true, rest, layers_per_block, upsampler_index);
  if (take(rest, "up_blocks")) return in_block(false, rest, layers_per_block, upsampler_index);
  if (take(rest, "mid_block.resnets.0")) return resnet("middle_block.0", rest);
  if (take(rest, "mid_block.resnets.1")) return resnet("middle_block.2", rest);
  for (const auto& [own, ldm] : kLdmOutside) {
    if (rest == own) return std::string(ldm);
    if (take(rest, own)) return concat(ldm, ".", rest);
  }
  return std::nullopt;
}

std::optional<std::string> ldm_module_of(const Parameters& unet, const std::string& module) {
  std::int64_t layers = 0;
  while (unet.find(concat("down_blocks.0.resnets.", layers, ".conv1.weight")) != nullptr) ++layers;
  if (layers == 0) return std::nullopt;
  const std::string block = module.substr(0, module.find(".upsamplers."));
  const bool attention = unet.find(block + ".attentions.0.norm.weight") != nullptr;
  return ldm_module(module, layers, attention ? 2 : 1);
}

}  // namespace affiche::diffusion
