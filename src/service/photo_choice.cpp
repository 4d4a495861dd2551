// SPDX-License-Identifier: Apache-2.0
#include "service/photo_choice.h"

#include <algorithm>

#include "base/error.h"
#include "base/sha256.h"
#include "cards/encode.h"
#include "photos/search.h"
#include "service/take_down.h"

namespace affiche::service {
namespace {

constexpr int kAsked = 20;            // candidates of a provider
constexpr int kMostFetched = 5;       // pictures of a provider that are looked at for one query
constexpr std::size_t kRecent = 500;  // choices kept in memory
constexpr std::size_t kAuthors = 20;  // last authors of a site, for variety
constexpr Millis kDay = 86'400'000;

// Passed over for its pixels, or because the site had it.
class PassedOver : public Error {
 public:
  explicit PassedOver(const std::string& why) : Error(Cause::Refused, why) {}
};

std::string site_of(const Config& config) {
  return config.site.url.empty() ? config.site.name : config.site.url;
}

photos::Candidate as_candidate(const store::PhotoRecord& record) {
  photos::Candidate made;
  made.provider = "folder";
  made.source = record.credit.source;
  made.source_id = record.id;
  made.title = record.credit.title;
  made.creator = record.credit.author;
  made.creator_url = record.credit.author_url;
  made.landing_url = record.credit.source_url;
  made.keywords = record.keywords;
  made.license.code = record.credit.license;
  made.license.url = record.credit.license_url;
  made.width = record.width;
  made.height = record.height;
  made.changes = record.credit.changes;
  made.media_type = record.media_type;
  made.raw = to_json(record.credit);
  made.answered_at = std::max<Millis>(1, record.imported_at);
  return made;
}

photos::Shape shape_of(const ChoiceRequest& request) {
  if (request.width <= 0 || request.height <= 0) return photos::Shape::Any;
  const double aspect = static_cast<double>(request.width) / request.height;
  return aspect > 1.2    ? photos::Shape::Landscape
         : aspect < 0.83 ? photos::Shape::Portrait
                         : photos::Shape::Square;
}

photos::Needs needs_of(const Config& config, const std::string& query,
                       const ChoiceRequest& request) {
  return {query, request.salt, request.width, request.height, config.photos.min_width};
}

void refuse(Considered& considered, std::string rule, std::string reason) {
  considered.fit.kept = false;
  considered.fit.rule = std::move(rule);
  considered.fit.reason = std::move(reason);
}

void sort_best_first(std::vector<Considered>& offered) {
  std::stable_sort(offered.begin(), offered.end(), [](const Considered& a, const Considered& b) {
    if (a.fit.kept != b.fit.kept) return a.fit.kept;
    return a.fit.score > b.fit.score;
  });
}

// What one picture or provider says does not stop the others.
bool is_one_places_own(const Error& error) {
  return error.cause() != Cause::Cancelled && error.cause() != Cause::Internal &&
         error.cause() != Cause::Usage;
}

}  // namespace

// What one call of choose() learns on its way.
struct PhotoChoice::Attempt {
  photos::Lately lately;
  bool repeats = false;  // also what the site used lately
  bool down = false;     // a provider did not answer
  std::vector<std::string> refused;
  std::stop_token stop;

  void note(const Considered& considered) {
    if (refused.size() < 8) {
      refused.push_back(considered.candidate.provider + ":" + considered.candidate.source_id +
                        ": " + considered.fit.reason);
    }
  }
};

PhotoPlaces places_of(const Config& config, PhotoSources& sources, PhotoFinder& finder) {
  PhotoPlaces places;
  places.order = config.photos.order;
  places.provider = [&sources](const std::string& name) { return sources.find(name); };
  places.take = [&finder](photos::Provider& provider, const photos::Candidate& candidate,
                          const photos::Ruling&, const std::vector<std::string>& words,
                          const PhotoPlaces::Look& look, std::stop_token stop) {
    return finder.take(provider, candidate, stop, words, look);
  };
  places.tell_use = [&finder](const std::string& id, std::stop_token stop) {
    finder.tell_use(id, stop);
  };
  return places;
}

PhotoChoice::PhotoChoice(const Config& config, store::Store& store, const PhotoLibrary& library,
                         PhotoPlaces places)
    : config_(config), store_(store), library_(library), places_(std::move(places)) {}

photos::Provider* PhotoChoice::provider(const std::string& name) const {
  return places_.provider && !name.empty() ? places_.provider(name) : nullptr;
}

// A file of this machine may be another one under its old name.
bool PhotoChoice::replaced(const Considered& one, const std::string& photo_id) const {
  if (one.candidate.provider != "pictures") return false;
  const std::vector<store::Evidence> evidence = store_.evidence(photo_id);
  return evidence.empty() || evidence.front().sha256 != sha256_hex(one.candidate.raw);
}

photos::Lately PhotoChoice::lately() const {
  photos::Lately found;
  const auto add = [&](const std::string& id, const std::string& author,
                       std::optional<std::uint64_t> print) {
    if (found.authors.size() < kAuthors) found.authors.push_back(author);
    if (!found.photos.insert(id).second) return;
    if (print) found.prints.push_back(*print);
  };
  {
    const std::lock_guard lock(mutex_);
    for (const Recent& one : recent_) add(one.id, one.author, one.print);
  }
  const Millis since = store_.clock().now() - config_.photos.rest_days * kDay;
  for (const store::Use& use : store_.uses(site_of(config_), since)) {
    const auto known = store_.measures(use.photo_id);
    add(use.photo_id, use.author, known ? std::optional(known->print) : std::nullopt);
  }
  return found;
}

std::vector<Considered> PhotoChoice::from_library(const std::string& query,
                                                  const ChoiceRequest& request,
                                                  const photos::Lately& lately) const {
  std::vector<Considered> offered;
  for (const FoundRecord& match : library_.search(query, request.salt)) {
    Considered one;
    one.candidate = as_candidate(match.record);
    one.photo_id = match.record.id;
    one.ruling = photos::rule_on(one.candidate, config_.photos.policy, store_.clock().now());
    one.fit = photos::fit(one.candidate, one.ruling, needs_of(config_, query, request), lately,
                          offered.size());
    offered.push_back(std::move(one));
  }
  sort_best_first(offered);
  return offered;
}

std::vector<Considered> PhotoChoice::from_provider(photos::Provider& provider,
                                                   const std::string& query,
                                                   const ChoiceRequest& request,
                                                   const photos::Lately& lately,
                                                   std::stop_token stop) {
  photos::Wanted wanted;
  wanted.query = query;
  wanted.count = kAsked;
  wanted.shape = shape_of(request);
  wanted.least_width = std::max(config_.photos.min_width, request.width);
  wanted.language = request.language;
  std::vector<Considered> offered;
  for (photos::Candidate& candidate : provider.search(wanted, stop)) {
    Considered one;
    one.candidate = std::move(candidate);
    // What was fetched before is known by its record, and need not come again.
    const auto known = store_.photos_behind(one.candidate.provider + ":" + one.candidate.source_id);
    if (!known.empty() && store_.photo(*known.begin()) && !replaced(one, *known.begin())) {
      one.photo_id = *known.begin();
    }
    photos::Policy policy = config_.photos.policy;
    // The origin's word is asked for before the picture is taken.
    if (this->provider(one.candidate.origin_check) != nullptr) policy.require_origin = false;
    one.ruling = photos::rule_on(one.candidate, policy, store_.clock().now());
    one.fit = photos::fit(one.candidate, one.ruling, needs_of(config_, query, request), lately,
                          offered.size());
    if (const auto down = store_.revoked(targets_of(one.candidate))) {
      refuse(one, "taken down",
             "taken down on " + iso8601(down->at).substr(0, 10) + ": " + down->why);
    }
    offered.push_back(std::move(one));
  }
  sort_best_first(offered);
  return offered;
}

std::vector<Considered> PhotoChoice::from(const std::string& place, const std::string& query,
                                          const ChoiceRequest& request,
                                          const photos::Lately& lately, std::stop_token stop) {
  if (place == kLibraryPlace) return from_library(query, request, lately);
  photos::Provider* asked = provider(place);
  if (asked == nullptr) fail(Cause::Internal, "photos.order: \"", place, "\" was not made");
  return from_provider(*asked, query, request, lately, stop);
}

std::vector<Considered> PhotoChoice::consider(const std::string& query,
                                              const ChoiceRequest& request,
                                              std::vector<std::string>& problems,
                                              std::stop_token stop) {
  const photos::Lately used = lately();
  std::vector<Considered> all;
  for (const std::string& place : places_.order) {
    try {
      for (Considered& found : from(place, query, request, used, stop)) {
        const bool there = !found.photo_id.empty() &&
                           std::any_of(all.begin(), all.end(), [&](const Considered& other) {
                             return other.photo_id == found.photo_id;
                           });
        if (!there) all.push_back(std::move(found));
      }
    } catch (const Error& error) {
      if (error.cause() == Cause::Cancelled || error.cause() == Cause::Usage) throw;
      problems.emplace_back(error.what());
    }
  }
  sort_best_first(all);
  return all;
}

photos::Measured PhotoChoice::measured(const std::string& id, const Bytes& bytes) const {
  if (const auto known = store_.measures(id)) return {known->print, known->focus, known->exposure};
  cards::DecodeLimits limits;
  limits.max_pixels = std::int64_t{config_.photos.max_megapixels} * 1'000'000;
  const photos::Measured found = photos::measure(cards::decode(bytes, "photo " + id, limits));
  return found;
}

// An index such as Openverse repeats what it once read. Its word counts only where the origin can't
// be asked; else the origin's record takes its place. False when that refuses.
bool PhotoChoice::settle_origin(Considered& considered, std::stop_token stop) {
  const photos::Candidate& indexed = considered.candidate;
  if (!indexed.indexed || indexed.origin_check.empty()) return true;
  photos::Provider* origin = provider(indexed.origin_check);
  if (origin == nullptr || !origin->knows(indexed.landing_url)) return true;
  photos::Candidate record = origin->lookup(indexed.landing_url, stop);
  considered.ruling = photos::rule_on(record, config_.photos.policy, store_.clock().now());
  considered.candidate = std::move(record);
  if (!considered.ruling.decision.allowed) {
    refuse(considered, considered.ruling.decision.rule,
           "its origin says otherwise: " + considered.ruling.decision.reason);
  } else if (const auto down = store_.revoked(targets_of(considered.candidate))) {
    refuse(considered, "taken down", down->why);
  }
  return considered.fit.kept;
}

FoundPhoto PhotoChoice::remember(FoundPhoto found, const photos::Measured& measured,
                                 const Attempt& attempt) {
  store_.put_measures(found.id, {measured.print, measured.focus, measured.exposure});
  const std::lock_guard lock(mutex_);
  // Another worker may have taken it since this one looked at what was used lately.
  const bool taken = std::any_of(recent_.begin(), recent_.end(), [&](const Recent& one) {
    return one.id == found.id ||
           photos::print_distance(one.print, measured.print) <= photos::kSamePrint;
  });
  if (taken && !attempt.repeats) throw PassedOver("another job has just taken it");
  recent_.push_front({found.id, measured.print, found.photo.credit().author});
  if (recent_.size() > kRecent) recent_.pop_back();
  return found;
}

std::optional<FoundPhoto> PhotoChoice::try_one(Considered& considered, const std::string& query,
                                               const ChoiceRequest& request, Attempt& attempt) {
  const auto rest = [&](const std::string& id, const photos::Measured& seen) {
    if (!attempt.repeats && photos::used_lately(id, seen, attempt.lately)) {
      throw PassedOver("the site has used it, or one that looks the same, lately");
    }
  };
  if (!considered.photo_id.empty()) {
    if (!attempt.repeats && attempt.lately.photos.contains(considered.photo_id)) {
      throw PassedOver("the site has used it lately");
    }
    FoundPhoto found = library_.get(considered.photo_id);
    const photos::Measured seen = measured(found.id, found.photo.encoded());
    rest(found.id, seen);
    found = remember(std::move(found), seen, attempt);
    if (places_.tell_use) places_.tell_use(found.id, attempt.stop);
    return found;
  }
  if (!settle_origin(considered, attempt.stop)) return std::nullopt;
  photos::Provider* source = provider(considered.candidate.provider);
  if (source == nullptr || !places_.take) return std::nullopt;
  photos::Measured seen;
  const auto look = [&](const Image& image) {
    seen = photos::measure(image);
    std::string why = photos::misfit(image.width, image.height, needs_of(config_, query, request));
    if (why.empty()) why = photos::unfit(seen);
    if (!why.empty()) throw PassedOver(why);
    rest("", seen);
  };
  FoundPhoto found = places_.take(*source, considered.candidate, considered.ruling,
                                  photos::search_words(query), look, attempt.stop);
  return remember(std::move(found), seen, attempt);
}

std::optional<FoundPhoto> PhotoChoice::try_source(std::vector<Considered> offered,
                                                  const std::string& query,
                                                  const ChoiceRequest& request, Attempt& attempt) {
  int fetched = 0;
  for (Considered& one : offered) {
    if (!one.fit.kept) {
      attempt.note(one);
      continue;
    }
    const bool remote = one.photo_id.empty();
    if (remote && fetched++ == kMostFetched) break;
    try {
      if (auto found = try_one(one, query, request, attempt)) return found;
    } catch (const Error& error) {
      if (!is_one_places_own(error)) throw;
      attempt.down = attempt.down || error.retryable();
      const bool passed = dynamic_cast<const PassedOver*>(&error) != nullptr;
      refuse(one, passed ? "passed over" : "failed", error.what());
    }
    attempt.note(one);
  }
  return std::nullopt;
}

FoundPhoto PhotoChoice::choose(const ChoiceRequest& request, std::stop_token stop) {
  Attempt attempt;
  attempt.lately = lately();
  attempt.stop = stop;
  for (const bool repeats : {false, true}) {
    attempt.repeats = repeats;
    attempt.refused.clear();
    for (const std::string& query : request.queries) {
      for (const std::string& place : places_.order) {
        try {
          if (auto found = try_source(from(place, query, request, attempt.lately, stop), query,
                                      request, attempt)) {
            return std::move(*found);
          }
        } catch (const Error& error) {
          if (!is_one_places_own(error)) throw;
          attempt.down = attempt.down || error.retryable();
          attempt.refused.emplace_back(error.what());
        }
      }
    }
  }
  std::string reasons;
  for (const std::string& one : attempt.refused) reasons += "\n  " + one;
  const std::string first = request.queries.empty() ? "" : request.queries.front();
  const bool alone = places_.order == std::vector<std::string>{kLibraryPlace};
  fail(attempt.down ? Cause::Unavailable : Cause::NotFound, "photo \"", first, "\": ",
       alone ? "no photograph of the library has any of these words and may be used"
             : "nobody of photos.order has one that may be used",
       "; import some with affiche photos import, or look with affiche photos search",
       reasons.empty() ? "" : "; refused:", reasons);
}

}  // namespace affiche::service
