// SPDX-License-Identifier: Apache-2.0
// The configurations of the published models, as far as our networks read them.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>

namespace affiche::bench {

struct FullSizeConfigs {
  nlohmann::ordered_json index;                              // model_index.json
  std::map<std::string, nlohmann::ordered_json> parts;       // config.json by folder
  std::map<std::string, nlohmann::ordered_json> tokenizers;  // tokenizer_config.json by folder
  nlohmann::ordered_json scheduler;                          // scheduler_config.json
};

// Stable Diffusion 1.5: 859.5 M parameters in the UNet, 123.1 M in the text encoder, 83.7 M in the
// autoencoder.
FullSizeConfigs sd15_configs();
// SDXL base 1.0: 2567.5 M, 123.1 M and 694.7 M, 83.7 M.
FullSizeConfigs sdxl_configs();

}  // namespace affiche::bench
