// SPDX-License-Identifier: Apache-2.0
// The way of a ComfyUI workflow from the saved picture back to an empty latent or a loaded picture.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "recipes/walk.h"

namespace affiche::recipes {

// A change of size between two samplers, or between a picture and its sampler.
struct Scale {
  const Node* node = nullptr;
  bool latent = false;
  std::string method;  // as the workflow has it
  double factor = 0;   // 0: to a size
  std::int64_t width = 0, height = 0;
};

// One run of a sampler.
struct Stage {
  const Node* node = nullptr;
  const Node* settings = nullptr;  // which has "model", "positive" and "negative": node or guider
  std::int64_t seed = 0;
  std::int64_t steps = 20;
  double cfg = 1;
  std::string sampler = "euler", scheduler = "normal";
  double denoise = 1;
  std::int64_t start = 0, end = 0;  // of the steps
  bool adds_noise = true, leftover = false;
  std::vector<Scale> scales;  // of what it starts from
};

// A run inside a schedule, in diffusers' terms: int(steps * strength) of its steps are run.
struct Noising {
  std::int64_t steps = 0;
  double strength = 1;
};
// ComfyUI's "denoise", and A1111's second pass, run all `steps` of a schedule that is so much
// longer: the shortest one of which diffusers runs as many.
Noising lengthened(std::int64_t steps, double denoise);

struct Beginning {
  std::string image, mask;  // files
  std::int64_t width = 0, height = 0, batch = 1;
  nlohmann::ordered_json outpaint;  // as a request has it, null: none
};

struct Trail {
  std::vector<Stage> stages;  // the last first
  Beginning begin;
  std::string vae;  // file, empty: the model's own
  bool tiled = false;
};

bool is_sampler(const std::string& type);

// BadInput when no sampler is reached.
Trail follow_back(Walk& walk, const Node& end);

// Where in a schedule of how many steps a stage begins, in diffusers' terms.
Noising noising(const Stage& stage);

// The file of a picture input, through what cannot be translated; "" when there is none. `canny`:
// whether its edges are meant.
std::string picture_file(Walk& walk, const Node& node, std::string_view input,
                         bool* canny = nullptr);

}  // namespace affiche::recipes
