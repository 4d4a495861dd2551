// SPDX-License-Identifier: Apache-2.0
// One model in memory with the LoRAs that it wears. The only header through which service/ touches
// the diffusion engine; it includes nothing of libtorch.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <vector>

#include "cards/brand.h"
#include "imaging/image.h"
#include "imaging/recipe.h"

namespace affiche::service {

// Not thread-safe.
class LoadedModel {
 public:
  // `threads`: of one generation, 0 for all cores. Errors as
  // StableDiffusionPipeline::from_folder().
  LoadedModel(const std::filesystem::path& model, int threads);
  ~LoadedModel();

  bool is(const std::filesystem::path& model) const { return model == path_; }
  // Takes the present LoRAs off and puts these on; nothing happens when they are the same.
  void wear(const std::vector<cards::VoiceLora>& loras);
  // One picture. Cancelled within one step after `stop` is requested.
  Image generate(const Recipe& recipe, std::stop_token stop);

 private:
  struct Engine;
  std::filesystem::path path_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace affiche::service
