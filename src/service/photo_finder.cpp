// SPDX-License-Identifier: Apache-2.0
#include "service/photo_finder.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "cards/encode.h"
#include "photos/providers/providers.h"
#include "service/take_down.h"

namespace affiche::service {
namespace {

constexpr int kCandidates = 20;     // asked of a provider
constexpr int kLeastWidth = 1'200;  // pixels; what a card of the usual size shows

std::string describe(const photos::Candidate& candidate) {
  return candidate.provider + ":" + candidate.source_id;
}

void check_bytes(const photos::Candidate& candidate, const photos::Fetched& fetched, int least) {
  if (fetched.width < least) {
    fail(Cause::Refused, describe(candidate), ": expected a width of at least ", least,
         " pixels (photos.min_width), found ", fetched.width,
         candidate.width > fetched.width ? concat(" though ", candidate.width, " were told")
                                         : std::string());
  }
}

}  // namespace

// What everybody said, for the error at the end.
struct PhotoFinder::Report {
  std::string text;
  bool unavailable = false;
  void add(const Error& error) {
    if (error.cause() == Cause::Cancelled || error.cause() == Cause::Usage) throw;
    unavailable = unavailable || error.retryable();
    add(error.what());
  }
  void add(const std::string& said) {
    constexpr std::size_t kMost = 4'000;
    if (text.size() < kMost) text += (text.empty() ? "" : "; ") + said;
  }
};

PhotoFinder::PhotoFinder(const Config& config, store::Store& store,
                         const store::Artifacts& artifacts, const PhotoLibrary& library,
                         PhotoSources& sources)
    : config_(config), store_(store), artifacts_(artifacts), library_(library), sources_(sources) {}

FoundPhoto PhotoFinder::find(std::string_view query, std::string_view salt, std::stop_token stop) {
  Report report;
  for (const std::string& name : config_.photos.order) {
    try {
      if (name == kLibrary) return library_.find(query, salt);
      photos::Provider* provider = sources_.find(name);
      if (provider == nullptr) fail(Cause::Internal, "photos.order: \"", name, "\" was not made");
      if (auto found = ask(*provider, query, report, stop)) return std::move(*found);
    } catch (const Error& error) {
      report.add(error);
    }
  }
  fail(report.unavailable ? Cause::Unavailable : Cause::NotFound, "photo \"", query,
       "\": nobody of photos.order has one that may be used: ", report.text);
}

std::optional<FoundPhoto> PhotoFinder::ask(photos::Provider& provider, std::string_view query,
                                           Report& report, std::stop_token stop) {
  photos::Wanted wanted;
  wanted.query = query;
  wanted.count = kCandidates;
  wanted.shape = photos::Shape::Landscape;
  wanted.least_width = std::max(kLeastWidth, config_.photos.min_width);
  const std::vector<photos::Candidate> candidates = provider.search(wanted, stop);
  if (candidates.empty()) report.add(provider.name() + ": nothing matches");
  for (const photos::Candidate& candidate : candidates) {
    try {
      return take(provider, candidate, stop);
    } catch (const Error& error) {
      report.add(error);
    }
  }
  return std::nullopt;
}

FoundPhoto PhotoFinder::get(const std::string& reference, std::stop_token stop) {
  const bool is_url = reference.find("://") != std::string::npos;
  const std::size_t colon = reference.find(':');
  photos::Provider* provider =
      is_url ? sources_.owner(reference) : sources_.find(reference.substr(0, colon));
  if (provider == nullptr) {
    fail(Cause::Usage, "photo ", reference, ": expected ",
         is_url ? "a page of a provider" : "PROVIDER:ID with a provider",
         " in photos.order, found another; add it there, or import the picture with `affiche "
         "photos import`");
  }
  const std::string id = is_url ? reference : reference.substr(colon + 1);
  return take(*provider, provider->lookup(id, stop), stop);
}

photos::Candidate PhotoFinder::settled(photos::Candidate candidate, std::stop_token stop) {
  if (!candidate.indexed || candidate.origin_check.empty()) return candidate;
  photos::Provider* origin = sources_.find(candidate.origin_check);
  if (origin == nullptr || !origin->knows(candidate.landing_url)) return candidate;
  return origin->lookup(candidate.landing_url, stop);
}

FoundPhoto PhotoFinder::take(photos::Provider& provider, photos::Candidate candidate,
                             std::stop_token stop, const std::vector<std::string>& words,
                             const Look& look) {
  candidate = settled(std::move(candidate), stop);
  photos::Provider* source =
      candidate.provider == provider.name() ? &provider : sources_.find(candidate.provider);
  const photos::Ruling ruling =
      photos::rule_on(candidate, config_.photos.policy, store_.clock().now());
  if (!ruling.decision.allowed) {
    fail(Cause::Refused, describe(candidate), ": ", ruling.decision.rule, ": ",
         ruling.decision.reason);
  }
  if (const auto down = store_.revoked(targets_of(candidate))) {
    fail(Cause::Refused, describe(candidate), ": taken down on ", iso8601(down->at).substr(0, 10),
         ": ", down->why);
  }
  if (candidate.width > 0 && candidate.width < config_.photos.min_width) {
    fail(Cause::Refused, describe(candidate), ": expected a width of at least ",
         config_.photos.min_width, " pixels (photos.min_width), found ", candidate.width);
  }
  if (auto known = already_kept(candidate, ruling)) {
    if (look) look(cards::decode(known->photo.encoded(), describe(candidate)));
    source->used(candidate, stop);
    return std::move(*known);
  }
  photos::Fetched fetched = source->fetch(candidate, stop);
  check_bytes(candidate, fetched, config_.photos.min_width);
  // The provider's bytes were encoded anew from decoded pixels (photo_sources.cpp).
  if (look) look(cards::decode(fetched.bytes, describe(candidate)));
  FoundPhoto found = keep(candidate, ruling, std::move(fetched), words);
  source->used(candidate, stop);
  return found;
}

void PhotoFinder::tell_use(const std::string& photo_id, std::stop_token stop) {
  const std::vector<store::Evidence> evidence = store_.evidence(photo_id);
  if (evidence.empty()) return;
  const std::string& name = evidence.front().provider;
  const auto kinds = photos::provider_kinds();
  if (std::none_of(kinds.begin(), kinds.end(), [&](const photos::ProviderKind& kind) {
        return kind.name == name && kind.counts_uses;
      })) {
    return;
  }
  photos::Provider* provider = sources_.find(name);
  if (provider == nullptr) {
    fail(
        Cause::Refused, "photo ", photo_id, ": ", name,
        " wants to be told of every use of its pictures, and is not in photos.order; add it there");
  }
  photos::Candidate used;
  used.provider = name;
  used.source_id = evidence.front().source_id;
  used.raw = evidence.front().raw;
  provider->used(used, stop);
}

// The same record gave these bytes and this credit before.
std::optional<FoundPhoto> PhotoFinder::already_kept(const photos::Candidate& candidate,
                                                    const photos::Ruling& ruling) const {
  for (const std::string& id : store_.photos_behind(describe(candidate))) {
    const std::vector<store::Evidence> evidence = store_.evidence(id);
    const auto record = store_.photo(id);
    if (evidence.empty() || evidence.front().sha256 != ruling.evidence_sha256) continue;
    if (!record || !artifacts_.has(id) || store_.revoked(std::array{target_of_photo(id)})) continue;
    return FoundPhoto{id, Photo(artifacts_.get(id), record->credit)};
  }
  return std::nullopt;
}

FoundPhoto PhotoFinder::keep(const photos::Candidate& candidate, const photos::Ruling& ruling,
                             photos::Fetched fetched, const std::vector<std::string>& words) {
  store::PhotoRecord record;
  record.id = fetched.sha256;
  record.credit = photos::credit_of(candidate, ruling);
  record.keywords = candidate.keywords;
  record.keywords.insert(record.keywords.end(), words.begin(), words.end());
  record.width = fetched.width;
  record.height = fetched.height;
  record.media_type = fetched.media_type;
  artifacts_.put(fetched.bytes);
  store_.add_artifact(record.id, fetched.bytes.size(), record.media_type);
  refuse_taken_down(store_, record.id, describe(candidate));
  store_.put_photo(record);
  const std::vector<store::Evidence> known = store_.evidence(record.id);
  if (known.empty() || known.front().sha256 != ruling.evidence_sha256) {
    store_.add_evidence({0, record.id, candidate.provider, candidate.source_id,
                         candidate.landing_url, candidate.file_url, photos::to_json(ruling),
                         candidate.raw, "", candidate.answered_at});
  }
  return {record.id, Photo(std::move(fetched.bytes), record.credit)};
}

}  // namespace affiche::service
