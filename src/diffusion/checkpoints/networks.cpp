// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/networks.h"

#include <charconv>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/checkpoints/ldm_names.h"
#include "diffusion/checkpoints/open_clip.h"

namespace affiche::diffusion {
namespace {

bool is_left_over(const std::string& name) {
  return name.ends_with("position_ids") || name.starts_with("loss.") ||
         name.starts_with("model_ema.");
}

StateDict renamed(const StateDict& tensors, const ModuleNames& names, const DeduceOptions& options,
                  const char* network) {
  StateDict out;
  for (const auto& [name, tensor] : tensors) {
    if (is_left_over(name)) continue;
    const auto own = names.to_diffusers(name);
    if (!own && !options.keep_unknown) {
      fail(Cause::BadInput, options.what, ": the tensor \"", name, "\" belongs to no layer of ",
           network);
    }
    out[own.value_or(name)] = tensor;
  }
  return out;
}

bool is_ldm_unet(const StateDict& tensors) {
  return has_prefix(tensors, "input_blocks.");
}

// TAESD's own files number the layers without "layers.", and the decoder's from its clamp, which
// diffusers does not count.
StateDict tiny_vae_names(const StateDict& tensors, const std::string& what) {
  StateDict out;
  const bool clamped = !has_prefix(tensors, "decoder.0.");
  for (const auto& [name, tensor] : tensors) {
    const std::size_t dot = name.find('.');
    const std::size_t next = dot == name.npos ? name.npos : name.find('.', dot + 1);
    const std::string side = name.substr(0, dot);
    int layer = 0;
    const char* const begin = name.data() + std::min(dot + 1, name.size());
    const char* const end = name.data() + std::min(next, name.size());
    const bool known = next != name.npos && (side == "encoder" || side == "decoder") &&
                       std::from_chars(begin, end, layer).ptr == end && begin != end;
    if (!known) {
      fail(Cause::BadInput, what, ": the tensor \"", name, "\" belongs to no layer of TAESD");
    }
    const int own = side == "decoder" && clamped ? layer - 1 : layer;
    out[concat(side, ".layers.", own, name.substr(next))] = tensor;
  }
  return out;
}

}  // namespace

StateDict without_prefix(const StateDict& tensors, const std::string& prefix) {
  StateDict out;
  for (auto it = tensors.lower_bound(prefix); it != tensors.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    out.emplace(it->first.substr(prefix.size()), it->second);
  }
  return out;
}

CheckpointPart unet_part(const StateDict& tensors, const DeduceOptions& options) {
  StateDict weights = tensors;
  if (is_ldm_unet(tensors)) {
    const ModuleNames names = unet_names(ldm_unet_layout(tensors, options.what));
    weights = renamed(tensors, names, options, "a UNet of Stable Diffusion");
  }
  Json config = deduce_unet(weights, options);
  return {"UNet2DConditionModel", std::move(config), std::move(weights), {}, {}};
}

CheckpointPart controlnet_part(const StateDict& tensors, const DeduceOptions& options) {
  StateDict weights = tensors;
  if (is_ldm_unet(tensors)) {
    // Every second number of the condition's embedding is an activation.
    std::int64_t convolutions = 0;
    while (tensors.contains(concat("input_hint_block.", 2 * convolutions, ".weight"))) {
      ++convolutions;
    }
    const ModuleNames names = controlnet_names(ldm_unet_layout(tensors, options.what),
                                               std::max<std::int64_t>(convolutions - 2, 0));
    weights = renamed(tensors, names, options, "a ControlNet");
  }
  Json config = deduce_controlnet(weights, options);
  return {"ControlNetModel", std::move(config), std::move(weights), {}, {}};
}

CheckpointPart vae_part(const StateDict& tensors, const DeduceOptions& options) {
  StateDict weights = tensors;
  if (has_prefix(tensors, "encoder.down.")) {
    std::int64_t levels = 0;
    while (has_prefix(tensors, concat("encoder.down.", levels, ".block."))) ++levels;
    const std::int64_t layers = count_tensors(tensors, "encoder.down.0.block.", ".conv1.weight");
    weights =
        renamed(tensors, vae_names(levels, layers), options, "an autoencoder of Stable Diffusion");
    // diffusers has linear layers where the original has convolutions of size 1.
    for (auto& [name, tensor] : weights) {
      if (name.find(".attentions.0.") == name.npos || tensor.dim() != 4) continue;
      if (tensor.size(2) == 1 && tensor.size(3) == 1) tensor = tensor.flatten(1);
    }
  }
  Json config = deduce_vae(weights, options);
  return {"AutoencoderKL", std::move(config), std::move(weights), {}, {}};
}

CheckpointPart tiny_vae_part(const StateDict& tensors, const DeduceOptions& options) {
  StateDict weights =
      has_prefix(tensors, "encoder.layers.") ? tensors : tiny_vae_names(tensors, options.what);
  Json config = deduce_tiny_vae(weights, options);
  return {"AutoencoderTiny", std::move(config), std::move(weights), {}, {}};
}

CheckpointPart text_encoder_part(const StateDict& tensors, const DeduceOptions& options) {
  StateDict weights;
  if (has_prefix(tensors, "transformer.resblocks.")) {
    weights = from_open_clip(tensors, options.what);
  } else {
    for (const auto& [name, tensor] : tensors) {
      if (name != "logit_scale" && !is_left_over(name)) weights.emplace(name, tensor);
    }
  }
  Json config = deduce_text_encoder(weights, options);
  const bool projected = weights.contains("text_projection.weight");
  return {projected ? "CLIPTextModelWithProjection" : "CLIPTextModel",
          std::move(config),
          std::move(weights),
          {},
          {}};
}

}  // namespace affiche::diffusion
