// SPDX-License-Identifier: Apache-2.0
// From what a job says of its photograph to a photograph: the places of photos.order are asked one
// after the other, each record is judged before anything of it is fetched, and what came is kept,
// so that it is of the library from then on.
#pragma once

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "photos/candidate.h"
#include "photos/ruling.h"
#include "service/config.h"
#include "service/photo_library.h"
#include "service/photo_sources.h"
#include "store/artifacts.h"
#include "store/store.h"

namespace affiche::service {

// Thread-safe.
class PhotoFinder {
 public:
  // All must outlive it.
  PhotoFinder(const Config& config, store::Store& store, const store::Artifacts& artifacts,
              const PhotoLibrary& library, PhotoSources& sources);

  // The first that is lawful, sound and large enough. Unavailable when there is none, but a
  // provider could not be asked or did not answer; else NotFound. Both say what everybody said.
  FoundPhoto find(std::string_view query, std::string_view salt, std::stop_token stop = {});

  // By "PROVIDER:ID", or by the URL of a page or picture of a provider. NotFound, Refused with the
  // rule that forbids it, Usage for a provider that photos.order does not have.
  FoundPhoto get(const std::string& reference, std::stop_token stop = {});

  // Judges, fetches and keeps one record, and tells its provider of the use. `words`: further key
  // words for the library. `look` sees the pixels before anything is kept, and throws to pass the
  // picture over.
  using Look = std::function<void(const Image&)>;
  FoundPhoto take(photos::Provider& provider, photos::Candidate candidate, std::stop_token stop,
                  const std::vector<std::string>& words = {}, const Look& look = {});

  // A photograph of the library is used once more: tells the provider that it came from, where its
  // terms want that (take() does so by itself). Refused when that provider is not in photos.order
  // any more.
  void tell_use(const std::string& photo_id, std::stop_token stop = {});

 private:
  struct Report;
  std::optional<FoundPhoto> ask(photos::Provider& provider, std::string_view query, Report& report,
                                std::stop_token stop);
  std::optional<FoundPhoto> already_kept(const photos::Candidate& candidate,
                                         const photos::Ruling& ruling) const;
  FoundPhoto keep(const photos::Candidate& candidate, const photos::Ruling& ruling,
                  photos::Fetched fetched, const std::vector<std::string>& words);
  // The record that counts: of the origin, where an index found it.
  photos::Candidate settled(photos::Candidate candidate, std::stop_token stop);

  const Config& config_;
  store::Store& store_;
  const store::Artifacts& artifacts_;
  const PhotoLibrary& library_;
  PhotoSources& sources_;
};

}  // namespace affiche::service
