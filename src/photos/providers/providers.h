// SPDX-License-Identifier: Apache-2.0
// The providers by name. docs/photos.md says for each what it wants, how often it may be asked and
// which hosts its pictures come from.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "photos/providers/web_provider.h"

namespace affiche::photos {

struct ProviderKind {
  std::string_view name;          // key of [photos.providers.…]
  std::string_view key_variable;  // environment variable of its key; empty: none is needed
  bool terms = false;             // has terms of its own that the operator must accept
  bool counts_uses = false;       // wants to be told of every use: Provider::used()
  bool key_optional = false;      // asked without a key as well, less often
};

std::span<const ProviderKind> provider_kinds();

// `fetcher` must outlive it. Usage for an unknown name, for a missing key, and for an `article`
// without sites and their licence.
std::unique_ptr<Provider> make_provider(const std::string& name, Fetcher& fetcher,
                                        const ProviderSettings& settings);

std::unique_ptr<Provider> make_article(Fetcher& fetcher, const ProviderSettings& settings);
std::unique_ptr<Provider> make_commons(Fetcher& fetcher, const ProviderSettings& settings);
std::unique_ptr<Provider> make_flickr(Fetcher& fetcher, const ProviderSettings& settings);
std::unique_ptr<Provider> make_loc(Fetcher& fetcher, const ProviderSettings& settings);
std::unique_ptr<Provider> make_nasa(Fetcher& fetcher, const ProviderSettings& settings);
std::unique_ptr<Provider> make_openverse(Fetcher& fetcher, const ProviderSettings& settings);
std::unique_ptr<Provider> make_pexels(Fetcher& fetcher, const ProviderSettings& settings);
// Asks nobody and needs no fetcher. Usage without a folder.
std::unique_ptr<Provider> make_pictures(const Clock& clock, const ProviderSettings& settings);
std::unique_ptr<Provider> make_pixabay(Fetcher& fetcher, const ProviderSettings& settings);
std::unique_ptr<Provider> make_unsplash(Fetcher& fetcher, const ProviderSettings& settings);

}  // namespace affiche::photos
