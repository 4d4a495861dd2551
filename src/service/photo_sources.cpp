// SPDX-License-Identifier: Apache-2.0
#include "service/photo_sources.h"

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "base/sha256.h"
#include "cards/encode.h"
#include "net/url.h"
#include "service/picture_room.h"

namespace affiche::service {
namespace {

constexpr std::string_view kPictures = "pictures";  // of this machine: asks nobody
constexpr int kQuality = 95;  // of what is kept: the card's own encoder sees it once more

std::string environment(std::string_view name) {
  if (name.empty()) return "";
  const char* value = std::getenv(std::string(name).c_str());
  return value == nullptr ? "" : value;
}

// A provider whose pictures come out of the room.
class CleanProvider final : public photos::Provider {
 public:
  CleanProvider(std::unique_ptr<photos::Provider> provider, RoomSettings room)
      : provider_(std::move(provider)), room_(std::move(room)) {}

  const std::string& name() const override { return provider_->name(); }
  std::vector<photos::Candidate> search(const photos::Wanted& wanted,
                                        std::stop_token stop) override {
    return provider_->search(wanted, stop);
  }
  photos::Candidate lookup(const std::string& id, std::stop_token stop) override {
    return provider_->lookup(id, stop);
  }
  bool knows(const std::string& url) const override { return provider_->knows(url); }
  void used(const photos::Candidate& candidate, std::stop_token stop) override {
    provider_->used(candidate, stop);
  }
  photos::Fetched fetch(const photos::Candidate& candidate, std::stop_token stop) override {
    return cleaned(provider_->fetch(candidate, stop), candidate, stop);
  }
  photos::Fetched thumbnail(const photos::Candidate& candidate, std::stop_token stop) override {
    return cleaned(provider_->thumbnail(candidate, stop), candidate, stop);
  }

 private:
  // Equal bytes that came give equal bytes here.
  photos::Fetched cleaned(photos::Fetched fetched, const photos::Candidate& candidate,
                          std::stop_token stop) const {
    const Image image =
        decode_foreign(fetched.bytes, name() + ":" + candidate.source_id, room_, stop);
    const cards::Format format = image.channels == 4 ? cards::Format::Png : cards::Format::Jpeg;
    fetched.bytes = cards::encode(image, format, {kQuality, kQuality, 0}).bytes;
    fetched.sha256 = sha256_hex(fetched.bytes);
    fetched.media_type = cards::media_type(format);
    fetched.width = image.width;
    fetched.height = image.height;
    return fetched;
  }
  std::unique_ptr<photos::Provider> provider_;
  RoomSettings room_;
};

}  // namespace

PhotoSources::PhotoSources(const Config& config, const Clock& clock, photos::Turns::Sleep sleep)
    : config_(config), clock_(clock), sleep_(std::move(sleep)) {}

photos::FetchSettings PhotoSources::fetch_settings() const {
  const PhotoSettings& own = config_.photos;
  photos::FetchSettings settings;
  settings.folder = own.cache;
  settings.user_agent = photos::user_agent(AFFICHE_VERSION, config_.site.url, config_.site.contact);
  settings.proxy = config_.network.proxy;
  settings.cache_limit = static_cast<std::uint64_t>(own.cache_limit_mib) << 20;
  settings.offline = own.offline;
  settings.plain_http = own.allow_http;
  settings.named = own.allow_hosts;
  // Whoever names the address of an API means it, wherever it is.
  for (const auto& [name, provider] : own.providers) {
    if (provider.base_url.empty()) continue;
    const net::Url url = net::parse_url(provider.base_url, "photos.providers." + name);
    settings.named.push_back(url.host + ":" + url.port);
  }
  settings.patience = std::chrono::seconds(own.patience_seconds);
  settings.sleep = sleep_;
  return settings;
}

std::unique_ptr<photos::Provider> PhotoSources::make(const std::string& name) {
  const auto known = config_.photos.providers.find(name);
  const ProviderConfig own =
      known == config_.photos.providers.end() ? ProviderConfig{} : known->second;
  photos::ProviderSettings settings;
  settings.base_url = own.base_url;
  settings.requests_per_hour = own.requests_per_hour;
  settings.app = own.app;
  settings.sites = own.sites;
  settings.license = own.license;
  settings.author = own.author;
  settings.source = own.source;
  settings.folder = own.folder;
  settings.limits.max_pixels = std::int64_t{config_.photos.max_megapixels} * 1'000'000;
  settings.most_bytes = static_cast<std::uint64_t>(config_.photos.max_file_mib) << 20;
  for (const photos::ProviderKind& kind : photos::provider_kinds()) {
    if (kind.name != name) continue;
    settings.key = environment(kind.key_variable);
    if (kind.terms && !own.accept_terms) {
      fail(Cause::Usage, "photos.order: \"", name,
           "\" has terms of its own on automatic use and advertising; read them, then set photos."
           "providers.",
           name, ".accept_terms = true, or take \"", name, "\" out");
    }
  }
  return std::make_unique<CleanProvider>(name == kPictures
                                             ? photos::make_pictures(clock_, settings)
                                             : photos::make_provider(name, *fetcher_, settings),
                                         room_settings(config_.photos));
}

void PhotoSources::start() {
  if (started_) return;
  std::vector<std::unique_ptr<photos::Provider>> made;
  std::vector<photos::Provider*> order;
  const std::vector<std::string>& names = config_.photos.order;
  const bool asks = std::any_of(names.begin(), names.end(), [](const std::string& name) {
    return name != kLibrary && name != kPictures;
  });
  if (asks && !fetcher_) fetcher_ = std::make_unique<photos::Fetcher>(fetch_settings(), clock_);
  for (const std::string& name : names) {
    if (name == kLibrary) continue;
    made.push_back(make(name));
    order.push_back(made.back().get());
  }
  made_ = std::move(made);
  order_ = std::move(order);
  started_ = true;
}

std::span<photos::Provider* const> PhotoSources::providers() {
  const std::lock_guard guard(mutex_);
  start();
  return order_;
}

photos::Provider* PhotoSources::find(const std::string& name) {
  for (photos::Provider* provider : providers()) {
    if (provider->name() == name) return provider;
  }
  return nullptr;
}

photos::Provider* PhotoSources::owner(const std::string& url) {
  for (photos::Provider* provider : providers()) {
    if (provider->knows(url)) return provider;
  }
  return nullptr;
}

}  // namespace affiche::service
