// SPDX-License-Identifier: Apache-2.0
// A request as one JSON object, under diffusers' names of the arguments. The command line and the
// HTTP API take the same object.
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "diffusion/pipelines/stable_diffusion.h"

namespace affiche::diffusion {

struct LoraChoice {
  std::filesystem::path file;
  double weight = 1.0;
  bool dora_scale = false;  // LoraUse::dora_scale
};

struct RequestFile {
  std::filesystem::path model;  // empty: not named
  bool has_prompt = false;
  GenerateRequest request;
  std::vector<LoraChoice> loras;
};

// Keys: task ("txt2img"), model, prompt, negative_prompt, seed, num_inference_steps,
// guidance_scale, guidance_rescale, scheduler, scheduler_config, height, width, eta, clip_skip,
// num_images_per_prompt, lora (a list of {file, weight, dora_scale}). prompt, negative_prompt and
// seed may be lists; null counts as missing. Paths are relative to `folder`. BadInput, naming
// `what` and the key: unknown keys, other types, and keys of tasks that are not built.
RequestFile read_request(const nlohmann::ordered_json& json, const std::filesystem::path& folder,
                         const std::string& what);

// "FILE[:WEIGHT]". Usage when the weight is not a number.
LoraChoice parse_lora_choice(const std::string& text);

}  // namespace affiche::diffusion
