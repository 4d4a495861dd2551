// SPDX-License-Identifier: Apache-2.0
// Which model a single file holds, told by the names of its tensors and never guessed, and what all
// models of a family share that no file states.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "diffusion/text/clip_vocabulary.h"
#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

enum class Family { SD1, SD2, SDXL, X4Upscaler };

struct FamilyFacts {
  const char* name;           // "Stable Diffusion 1.x"
  std::int64_t sample_size;   // of the UNet, in latents
  double scaling_factor;      // of the VAE
  std::int64_t picture_size;  // that the VAE was trained on
};
const FamilyFacts& facts(Family family);

// A scheduler as diffusers' from_single_file() has it for the family.
struct FamilyScheduler {
  std::string class_name;
  nlohmann::ordered_json config;
};
FamilyScheduler family_scheduler(Family family, bool inpainting, bool distilled);
// The x4 upscaler's, which adds noise to the small picture.
FamilyScheduler low_res_scheduler();

// Models that we know by sight and do not run, and files that are no models: a sentence part such
// as "a Flux model", or "" for none of these. `names`: tensors as in the file.
std::string known_but_not_run(const StateDict& tensors);

}  // namespace affiche::diffusion
