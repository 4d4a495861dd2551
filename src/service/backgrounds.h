// SPDX-License-Identifier: Apache-2.0
// The generated pictures of a brand. A picture is made once: its recipe's hash finds it again, in
// this process and in every other that shares the store.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "cards/brand.h"
#include "cards/template.h"
#include "imaging/photo.h"
#include "service/config.h"
#include "service/models.h"
#include "store/artifacts.h"
#include "store/store.h"

namespace affiche::service {

// One loaded model with its brand's LoRAs on it; defined in backgrounds.cpp so that no header of
// libtorch reaches the rest of the program.
class LoadedModel;

class Backgrounds {
 public:
  // All arguments must outlive it.
  Backgrounds(store::Store& store, const store::Artifacts& artifacts, const Config& config);
  ~Backgrounds();

  struct Made {
    std::string artifact;  // SHA-256 of the raw pixels
    std::string recipe_sha256;
    std::string recipe;   // JSON
    bool cached = false;  // it was there already
    std::string note;     // why it is not by the brand's own model; empty when it is
  };
  // The picture named `layer` ("background", "chrome") in one of the brand's variations; drawn by
  // code where the brand's model is "drawn". When its model is missing: by the shipped model, else
  // drawn by code, and the note says so; or NotFound, as `missing` says. Thread-safe; generations
  // run one after another, as each uses all cores. Errors: BadInput when the brand has no prompt
  // for the layer, NotFound for a missing LoRA file, Cancelled.
  Made make(const cards::Brand& brand, const std::string& layer, std::int64_t variation,
            std::stop_token stop,
            cards::Template::ModelMissing missing = cards::Template::ModelMissing::Fallback);

  // What make() made, with its pixels. Unavailable when the artifact is damaged or gone: the entry
  // is forgotten, and the next attempt makes it again.
  Generated load(const Made& made);

 private:
  struct Plan;
  Plan plan_for(const cards::Brand& brand, const std::string& layer, std::int64_t variation,
                cards::Template::ModelMissing missing);
  Plan own_plan(const cards::Brand& brand, const std::string& layer, std::int64_t variation,
                ModelPlace place);
  Plan drawn_plan(const cards::Brand& brand, const std::string& layer, std::int64_t variation);
  Plan substitute(const cards::Brand& brand, const std::string& layer, std::int64_t variation,
                  const std::string& reason);
  std::string hash_of(const std::filesystem::path& file);
  std::string model_hash(const std::filesystem::path& model);
  Image generate(const Plan& plan, std::stop_token stop);

  store::Store& store_;
  const store::Artifacts& artifacts_;
  const Config& config_;
  std::mutex mutex_;  // guards model_ and the generation itself
  std::unique_ptr<LoadedModel> model_;
  ModelPlace model_place_;  // keeps it in the cache of fetched models
  std::mutex hashes_mutex_;
  std::map<std::string, std::string> hashes_;  // path, size and time of change -> SHA-256
};

// The variation of a card among those of its brand: the same text always gets the same one.
std::int64_t variation_of(const std::string& text, const cards::Brand& brand);

}  // namespace affiche::service
