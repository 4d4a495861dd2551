// SPDX-License-Identifier: Apache-2.0
// Where the models are that people name: as a path, or as hub:OWNER/NAME or https://… in the cache.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "hub/settings.h"
#include "service/config.h"

namespace affiche::service {

// The settings of fetching: config.toml, over it the environment (HF_ENDPOINT, HF_TOKEN,
// AFFICHE_HUB_TOKEN, HF_HUB_OFFLINE). Usage when neither models.cache nor XDG_CACHE_HOME nor HOME
// says where the cache is.
hub::Settings hub_settings(const Config& config);

struct ModelPlace {
  std::filesystem::path path;
  std::shared_ptr<const void> use;  // keeps a fetched model in the cache while it lives
};

// A reference's place in the cache (never the network); any other text as a path, which may not
// exist. NotFound with the command that fetches it; Usage for a malformed reference.
ModelPlace find_model(const std::string& name, const Config& config);

// The model that comes with affiche, under paths.models; it may be missing.
std::filesystem::path shipped_model(const Config& config);

}  // namespace affiche::service
