// SPDX-License-Identifier: Apache-2.0
// Prompts, models, LoRAs and ControlNets of a ComfyUI sampler.
#pragma once

#include <nlohmann/json.hpp>

#include "recipes/comfyui_stages.h"
#include "recipes/import.h"

namespace affiche::recipes {

void put_prompts(Walk& walk, nlohmann::ordered_json& request, Imported& out, const Stage& stage);

}  // namespace affiche::recipes
