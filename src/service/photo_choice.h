// SPDX-License-Identifier: Apache-2.0
// The best photograph for a card: asks the places of photos.order, judges what they offer by
// record, size and shape, and looks at the pixels of the best. PhotoFinder brings the one that is
// chosen. Thread-safe.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "photos/choice.h"
#include "photos/provider.h"
#include "service/photo_finder.h"
#include "service/photo_library.h"
#include "service/photo_sources.h"

namespace affiche::service {

struct ChoiceRequest {
  std::vector<std::string> queries;  // tried one after the other
  std::string salt;                  // orders equals: the job's variables
  std::string language;              // told to providers; may be empty
  int width = 0;                     // pixels of the photo's place on the card; 0: any
  int height = 0;
};

// One picture that was looked at, and why it was kept or refused.
struct Considered {
  photos::Candidate candidate;
  photos::Ruling ruling;
  photos::Fit fit;
  std::string photo_id;  // when its bytes are in the library
};

// The name that stands for what was imported or fetched before.
inline constexpr const char* kLibraryPlace = kLibrary;

// Where photographs come from, and how one gets into the library from there.
struct PhotoPlaces {
  // Looks at the pixels before anything is kept; throws to pass the picture over.
  using Look = std::function<void(const Image&)>;
  std::vector<std::string> order = {kLibraryPlace};  // asked first to last
  // Nothing for a name that is not switched on.
  std::function<photos::Provider*(const std::string& name)> provider;
  // Fetches, decodes, calls `look`, and keeps bytes, credit and evidence. `words` are further key
  // words by which the library finds it.
  std::function<FoundPhoto(photos::Provider& provider, const photos::Candidate& candidate,
                           const photos::Ruling& ruling, const std::vector<std::string>& words,
                           const Look& look, std::stop_token stop)>
      take;
  // Tells the provider of a photograph of the library, by its id, that it is used again; throws to
  // pass it over. Nothing: nobody wants to know.
  std::function<void(const std::string& photo_id, std::stop_token stop)> tell_use;
};

// photos.order, with the providers of `sources`, which with `finder` must outlive the result.
PhotoPlaces places_of(const Config& config, PhotoSources& sources, PhotoFinder& finder);

class PhotoChoice {
 public:
  // All must outlive it.
  PhotoChoice(const Config& config, store::Store& store, const PhotoLibrary& library,
              PhotoPlaces places = {});

  // The best for the first query that finds one. What the site used within photos.rest_days, or
  // what looks the same, is taken only when nothing else is left. NotFound, with what was refused
  // and why; Unavailable when a provider that might have one did not answer; Cancelled.
  FoundPhoto choose(const ChoiceRequest& request, std::stop_token stop = {});

  // Everything that would be looked at for one query, best first, then what is refused. Fetches no
  // picture and changes nothing. A provider that fails is told in `problems`.
  std::vector<Considered> consider(const std::string& query, const ChoiceRequest& request,
                                   std::vector<std::string>& problems, std::stop_token stop = {});

 private:
  struct Attempt;
  std::vector<Considered> from_library(const std::string& query, const ChoiceRequest& request,
                                       const photos::Lately& lately) const;
  std::vector<Considered> from_provider(photos::Provider& provider, const std::string& query,
                                        const ChoiceRequest& request, const photos::Lately& lately,
                                        std::stop_token stop);
  std::vector<Considered> from(const std::string& place, const std::string& query,
                               const ChoiceRequest& request, const photos::Lately& lately,
                               std::stop_token stop);
  bool replaced(const Considered& one, const std::string& photo_id) const;
  photos::Lately lately() const;
  std::optional<FoundPhoto> try_source(std::vector<Considered> offered, const std::string& query,
                                       const ChoiceRequest& request, Attempt& attempt);
  std::optional<FoundPhoto> try_one(Considered& considered, const std::string& query,
                                    const ChoiceRequest& request, Attempt& attempt);
  bool settle_origin(Considered& considered, std::stop_token stop);
  photos::Measured measured(const std::string& id, const Bytes& bytes) const;
  FoundPhoto remember(FoundPhoto found, const photos::Measured& measured, const Attempt& attempt);

  const Config& config_;
  store::Store& store_;
  const PhotoLibrary& library_;
  PhotoPlaces places_;
  photos::Provider* provider(const std::string& name) const;
  // Chosen by this process and perhaps not in the ledger yet, newest first.
  struct Recent {
    std::string id;
    std::uint64_t print = 0;
    std::string author;
  };
  mutable std::mutex mutex_;
  std::deque<Recent> recent_;
};

}  // namespace affiche::service
