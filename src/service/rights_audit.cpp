// SPDX-License-Identifier: Apache-2.0
#include "service/rights_audit.h"

#include <algorithm>
#include <array>
#include <map>

#include "base/error.h"
#include "photos/ruling.h"
#include "service/take_down.h"

namespace affiche::service {
namespace {

using State = Audited::State;

photos::Provider* provider_of(std::span<photos::Provider* const> providers,
                              const std::string& name) {
  const auto found = std::find_if(providers.begin(), providers.end(),
                                  [&](photos::Provider* one) { return one->name() == name; });
  return found == providers.end() ? nullptr : *found;
}

// "author: Ann, now Anna; licence: …", or nothing.
std::string differences(const Credit& before, const Credit& now) {
  const std::array<std::tuple<const char*, const std::string*, const std::string*>, 4> fields = {
      {{"licence", &before.license, &now.license},
       {"author", &before.author, &now.author},
       {"title", &before.title, &now.title},
       {"page", &before.source_url, &now.source_url}}};
  std::string text;
  for (const auto& [field, was, is] : fields) {
    if (*was != *is) text += concat(text.empty() ? "" : "; ", field, ": ", *was, ", now ", *is);
  }
  return text;
}

void ask(photos::Provider& provider, const store::Evidence& known, const Credit& credit,
         const photos::Policy& policy, store::Store& store, std::stop_token stop,
         Audited& audited) {
  const photos::Candidate today = provider.lookup(known.source_id, stop);
  const photos::Ruling ruling = photos::rule_on(today, policy, store.clock().now());
  store.add_evidence({0, known.photo_id, known.provider, known.source_id, today.landing_url,
                      today.file_url, photos::to_json(ruling), today.raw, "", today.answered_at});
  if (!ruling.decision.allowed) {
    audited.state = State::Refused;
    audited.detail = ruling.decision.reason;
    return;
  }
  audited.detail = differences(credit, photos::credit_of(today, ruling));
  audited.state = audited.detail.empty() ? State::Same : State::Changed;
}

void by_policy(const Credit& credit, const photos::Policy& policy, Audited& audited) {
  const photos::Decision decision = photos::decide(photos::read_license(credit.license), policy);
  audited.state = decision.allowed ? State::Unasked : State::Refused;
  if (!decision.allowed) audited.detail = decision.reason;
}

}  // namespace

const char* name(State state) noexcept {
  switch (state) {
    case State::Same:
      return "same";
    case State::Changed:
      return "changed";
    case State::Refused:
      return "refused";
    case State::Gone:
      return "gone";
    case State::Unasked:
      return "unasked";
    case State::Failed:
      return "failed";
  }
  return "failed";
}

std::vector<Audited> audit_photos(store::Store& store, const photos::Policy& policy,
                                  std::span<photos::Provider* const> providers,
                                  std::stop_token stop) {
  std::vector<Audited> report;
  std::map<std::string, std::size_t> places;
  std::map<std::string, Credit> credits;
  for (const store::CreditEntry& entry : store.credits()) {
    if (store.revoked(std::array{target_of_photo(entry.photo_id)})) continue;
    const auto [place, fresh] = places.try_emplace(entry.photo_id, report.size());
    if (fresh) {
      report.emplace_back();
      report.back().photo_id = entry.photo_id;
      report.back().title = entry.credit.title;
    }
    ++report[place->second].cards;
    credits[entry.photo_id] = entry.credit;
  }
  for (Audited& audited : report) {
    if (stop.stop_requested()) fail(Cause::Cancelled, "audit: stopped");
    const Credit& credit = credits[audited.photo_id];
    by_policy(credit, policy, audited);
    const std::vector<store::Evidence> known = store.evidence(audited.photo_id);
    if (known.empty()) {
      audited.detail += audited.detail.empty() ? "no evidence was kept of it" : "";
      continue;
    }
    audited.provider = known.front().provider;
    audited.source_id = known.front().source_id;
    photos::Provider* provider = provider_of(providers, audited.provider);
    if (provider == nullptr || audited.source_id.empty()) continue;
    try {
      ask(*provider, known.front(), credit, policy, store, stop, audited);
    } catch (const Error& error) {
      if (error.cause() == Cause::Cancelled) throw;
      audited.state = error.cause() == Cause::NotFound ? State::Gone : State::Failed;
      audited.detail = error.what();
    }
  }
  return report;
}

}  // namespace affiche::service
