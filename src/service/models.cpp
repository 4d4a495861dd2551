// SPDX-License-Identifier: Apache-2.0
#include "service/models.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "base/error.h"
#include "hub/cache.h"

namespace affiche::service {
namespace {

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// As the Python library of the hub reads it.
bool is_true(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text == "1" || text == "ON" || text == "YES" || text == "TRUE";
}

std::filesystem::path cache_folder(const Config& config) {
  if (!config.models.cache.empty()) return config.models.cache;
  const std::string xdg = environment("XDG_CACHE_HOME");
  if (xdg.starts_with('/')) return std::filesystem::path(xdg) / "affiche/models";
  const std::string home = environment("HOME");
  if (home.starts_with('/')) return std::filesystem::path(home) / ".cache/affiche/models";
  fail(Cause::Usage,
       "cache of models: expected models.cache, XDG_CACHE_HOME or HOME to say where it is, found "
       "none; set models.cache in config.toml");
}

}  // namespace

hub::Settings hub_settings(const Config& config) {
  hub::Settings settings;
  const std::string endpoint = environment("HF_ENDPOINT");
  settings.endpoint = endpoint.empty() ? config.models.endpoint : endpoint;
  settings.token = environment("AFFICHE_HUB_TOKEN");
  if (settings.token.empty()) settings.token = environment("HF_TOKEN");
  settings.offline = config.models.offline || is_true(environment("HF_HUB_OFFLINE"));
  settings.proxy = config.network.proxy;
  settings.cache = cache_folder(config);
  settings.cache_limit = static_cast<std::uint64_t>(config.models.cache_limit_mib) << 20;
  settings.user_agent = "affiche/" AFFICHE_VERSION;
  return settings;
}

ModelPlace find_model(const std::string& name, const Config& config) {
  if (!hub::is_reference(name)) return {name, nullptr};
  const hub::Settings settings = hub_settings(config);
  hub::Cached found =
      hub::Cache(settings.cache, settings.cache_limit).find(hub::parse_reference(name));
  return {std::move(found.path), std::move(found.use)};
}

std::filesystem::path shipped_model(const Config& config) {
  return config.paths.models / "affiche-mini";
}

}  // namespace affiche::service
