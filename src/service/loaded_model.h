// SPDX-License-Identifier: Apache-2.0
// One model in memory with the LoRAs that it wears. The only header through which service/ touches
// the diffusion engine; it includes nothing of libtorch.
#pragma once

#include <filesystem>
#include <memory>
#include <stop_token>
#include <string>
#include <vector>

#include "cards/brand.h"
#include "imaging/image.h"
#include "imaging/recipe.h"

namespace affiche::service {

// Not thread-safe.
class LoadedModel {
 public:
  // `sha256` identifies the contents: a folder whose files were replaced is another model.
  // `threads`: of one generation, 0 for all cores. Errors as
  // diffusion::load_pipeline().
  LoadedModel(const std::filesystem::path& model, std::string sha256, int threads);
  ~LoadedModel();

  bool is(const std::string& sha256) const { return sha256 == sha256_; }
  // Takes the present LoRAs off and puts these on; nothing happens when they are the same.
  // `recipes` are the hashes and weights of the same files, in their order.
  void wear(const std::vector<cards::VoiceLora>& loras, const std::vector<RecipeLora>& recipes);
  // One picture. Cancelled within one step after `stop` is requested.
  Image generate(const Recipe& recipe, std::stop_token stop);

 private:
  struct Engine;
  std::string sha256_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace affiche::service
