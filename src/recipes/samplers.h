// SPDX-License-Identifier: Apache-2.0
// Samplers and noise schedules of ComfyUI and A1111 as schedulers of diffusers. Thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "recipes/import.h"

namespace affiche::recipes {

struct SamplerChoice {
  std::string scheduler;          // diffusers' class
  nlohmann::ordered_json config;  // options that go over the model's own
  std::vector<ImportNote> notes;  // subjects "sampler" and "scheduler"
};

// ComfyUI's names: ("dpmpp_2m", "karras"). Unknown ones become the nearest, with a note.
SamplerChoice comfyui_sampler(const std::string& sampler, const std::string& scheduler, int steps);

// A1111's: ("DPM++ 2M", "Karras"), or ("DPM++ 2M Karras", "") as versions before 1.9 wrote it.
SamplerChoice a1111_sampler(const std::string& sampler, const std::string& schedule_type,
                            int steps);

}  // namespace affiche::recipes
