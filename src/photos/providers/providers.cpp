// SPDX-License-Identifier: Apache-2.0
#include "photos/providers/providers.h"

#include <array>

#include "base/error.h"
#include "base/suggest.h"

namespace affiche::photos {
namespace {

using Make = std::unique_ptr<Provider> (*)(Fetcher&, const ProviderSettings&);

std::unique_ptr<Provider> from_folder(Fetcher& fetcher, const ProviderSettings& settings) {
  return make_pictures(fetcher.clock(), settings);
}

constexpr std::array kKinds = {
    ProviderKind{"article", "", false},
    ProviderKind{"commons", "", false},
    ProviderKind{"flickr", "AFFICHE_FLICKR_KEY", false},
    ProviderKind{"loc", "", false},
    ProviderKind{"nasa", "", false},
    ProviderKind{"openverse", "AFFICHE_OPENVERSE_KEY", false, false, true},
    ProviderKind{"pexels", "AFFICHE_PEXELS_KEY", true},
    ProviderKind{"pictures", "", false},
    ProviderKind{"pixabay", "AFFICHE_PIXABAY_KEY", true},
    ProviderKind{"unsplash", "AFFICHE_UNSPLASH_KEY", true, true},
};
constexpr std::array<Make, kKinds.size()> kMakers = {
    &make_article,   &make_commons, &make_flickr, &make_loc,     &make_nasa,
    &make_openverse, &make_pexels,  &from_folder, &make_pixabay, &make_unsplash};

}  // namespace

std::span<const ProviderKind> provider_kinds() {
  return kKinds;
}

std::unique_ptr<Provider> make_provider(const std::string& name, Fetcher& fetcher,
                                        const ProviderSettings& settings) {
  std::vector<std::string> known;
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    const ProviderKind& kind = kKinds[i];
    known.emplace_back(kind.name);
    if (kind.name != name) continue;
    if (!kind.key_variable.empty() && !kind.key_optional && settings.key.empty()) {
      fail(Cause::Usage, "photos.order: \"", name, "\" wants a key of your own: expected it in ",
           kind.key_variable, ", found none; set it or take \"", name, "\" out");
    }
    return kMakers[i](fetcher, settings);
  }
  fail(Cause::Usage, "photos.order: expected a provider, found \"", name, "\"",
       suggestion(name, known));
}

}  // namespace affiche::photos
