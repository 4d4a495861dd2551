// SPDX-License-Identifier: Apache-2.0
// A network's configuration from its tensors, for files that carry none. What tensors cannot state
// (groups of a normalisation, heads, scaling factors) is what the published models of the family
// have, or what the part has that the file replaces.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

struct DeduceOptions {
  std::string what;  // names the file in errors
  // The configuration of the part that these tensors replace, or null. It counts for what tensors
  // cannot state where the widths agree with it.
  const nlohmann::ordered_json* like = nullptr;
  std::int64_t sample_size = 64;    // UNet: latent size of the family's pictures; VAE: pictures
  double scaling_factor = 0.18215;  // VAE
  bool upcast_attention = false;    // UNet: as in SD 2.1
  std::string hidden_act = "quick_gelu";  // text encoder
  bool keep_unknown = false;              // as in CheckpointOptions
};

// Tensors have diffusers' names. The result is a diffusers (or transformers) config.json. BadInput
// names the file and what is missing or cannot be told: widths that no published model has need a
// folder with config.json.
nlohmann::ordered_json deduce_unet(const StateDict& tensors, const DeduceOptions& options);
nlohmann::ordered_json deduce_controlnet(const StateDict& tensors, const DeduceOptions& options);
nlohmann::ordered_json deduce_vae(const StateDict& tensors, const DeduceOptions& options);
nlohmann::ordered_json deduce_tiny_vae(const StateDict& tensors, const DeduceOptions& options);
nlohmann::ordered_json deduce_text_encoder(const StateDict& tensors, const DeduceOptions& options);

}  // namespace affiche::diffusion
