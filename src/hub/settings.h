// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "net/retry.h"

namespace affiche::hub {

// From config.toml, the environment and the command line; docs/models.md says which counts more.
struct Settings {
  std::string endpoint = "https://huggingface.co";  // http:// only to this machine
  std::string token;                                // told to the endpoint's origin only
  bool offline = false;                             // answer from the cache or not at all
  std::string proxy;                                // empty: none, whatever the environment says
  std::filesystem::path cache;
  std::uint64_t cache_limit = 0;  // bytes; 0: none
  std::string user_agent = "affiche";
  net::Pace pace;
};

}  // namespace affiche::hub
