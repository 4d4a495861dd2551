// SPDX-License-Identifier: Apache-2.0
// The providers that photos.order names, made of config.toml and the keys of the environment. What
// they fetch has been decoded in the room (picture_room.h) and encoded anew, so nobody behind them
// sees the bytes that came.
#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "photos/provider.h"
#include "photos/providers/providers.h"
#include "service/config.h"

namespace affiche::service {

// The name in photos.order that stands for what was imported or fetched before.
inline constexpr const char* kLibrary = "library";

// Thread-safe. Providers are made at first use, so that a house that uses its own library only
// needs no contact and no key.
class PhotoSources {
 public:
  // Both must outlive it. `sleep` stands in for waiting in tests.
  PhotoSources(const Config& config, const Clock& clock, photos::Turns::Sleep sleep = {});

  // In the order of photos.order, the library left out. Usage, naming the setting, when one is not
  // known, wants a contact, a key, or its terms accepted.
  std::span<photos::Provider* const> providers();
  // Nothing when photos.order does not have it.
  photos::Provider* find(const std::string& name);
  // Whose page or picture the URL is; nothing when nobody's.
  photos::Provider* owner(const std::string& url);

 private:
  void start();
  std::unique_ptr<photos::Provider> make(const std::string& name);
  photos::FetchSettings fetch_settings() const;

  const Config& config_;
  const Clock& clock_;
  photos::Turns::Sleep sleep_;
  std::mutex mutex_;
  std::unique_ptr<photos::Fetcher> fetcher_;
  std::vector<std::unique_ptr<photos::Provider>> made_;
  std::vector<photos::Provider*> order_;
  bool started_ = false;
};

}  // namespace affiche::service
