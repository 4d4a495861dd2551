// SPDX-License-Identifier: Apache-2.0
// affiche photos licences, revoke, audit: what may be used, and what may not any longer.
#include <algorithm>
#include <memory>

#include "cli/queue.h"
#include "photos/provider_codes.h"
#include "service/photo_sources.h"
#include "service/rights_audit.h"
#include "service/take_down.h"

namespace affiche::cli {
namespace {

int revoke(const Shared& shared, const std::string& target, const std::string& why) {
  Queue queue(shared);
  const service::TakenDown down = service::take_down(queue.store, target, why);
  if (shared.json) {
    Json cards = Json::array();
    for (const store::AffectedCard& card : down.cards) {
      cards.push_back({{"job", card.job_id != 0 ? Json(card.job_id) : Json()},
                       {"card", card.card_path},
                       {"queued", card.queued}});
    }
    print_json({{"targets", down.targets},
                {"photos", down.photos},
                {"cards", cards},
                {"removed", down.removed}});
    return kDone;
  }
  for (const std::string& photo : down.photos) std::printf("taken down  %s\n", photo.c_str());
  if (down.photos.empty()) std::puts("nothing here has it; it is refused from now on");
  bool by_hand = false;
  for (const store::AffectedCard& card : down.cards) {
    const auto job = static_cast<long long>(card.job_id);
    if (card.card_path.empty()) {
      std::printf("%s job %lld: nothing published yet\n",
                  card.queued ? "queued     " : "will choose again:", job);
    } else if (card.queued) {
      std::printf("queued      job %lld: %s\n", job, card.card_path.c_str());
    } else {
      by_hand = true;
      std::printf("by hand     %s: no job will make it again\n", card.card_path.c_str());
    }
  }
  for (const std::string& path : down.removed) std::printf("removed     %s\n", path.c_str());
  return by_hand ? kPartly : kDone;
}

int audit(const Shared& shared) {
  using State = service::Audited::State;
  Queue queue(shared);
  service::PhotoSources sources(queue.config, queue.clock);
  const auto report =
      service::audit_photos(queue.store, queue.config.photos.policy, sources.providers());
  Json answer = Json::array();
  for (const service::Audited& audited : report) {
    if (shared.json) {
      answer.push_back({{"photo", audited.photo_id},
                        {"provider", audited.provider},
                        {"source_id", audited.source_id},
                        {"title", audited.title},
                        {"cards", audited.cards},
                        {"state", name(audited.state)},
                        {"detail", audited.detail}});
    } else {
      std::printf("%-8s %.12s  %s%s%s\n", name(audited.state), audited.photo_id.c_str(),
                  audited.title.c_str(), audited.detail.empty() ? "" : ": ",
                  audited.detail.c_str());
    }
  }
  if (shared.json) print_json(answer);
  const auto any = [&](std::initializer_list<State> states) {
    return std::any_of(report.begin(), report.end(), [&](const service::Audited& audited) {
      return std::find(states.begin(), states.end(), audited.state) != states.end();
    });
  };
  if (any({State::Changed, State::Refused, State::Gone})) return kPartly;
  return any({State::Failed}) ? kTryLater : kDone;
}

void add_licences(CLI::App& photos, Shared& shared) {
  CLI::App* table = photos.add_subcommand(
      "licences",
      "what each provider's codes become, and what the default policy says, as Markdown");
  table->footer("Example: affiche photos licences > docs/licences.md");
  table->callback([&shared] {
    shared.run = [] {
      std::fputs(photos::licenses_page().c_str(), stdout);
      return kDone;
    };
  });
}

}  // namespace

void add_photo_rights(CLI::App& photos, Shared& shared) {
  const auto target = std::make_shared<std::string>();
  const auto why = std::make_shared<std::string>();
  CLI::App* down = photos.add_subcommand(
      "revoke", "take a photograph down: it is never chosen again, its cards are made again");
  down->add_option("target", *target,
                   "id (12 digits or more), URL of its page or file, or PROVIDER:ID")
      ->required();
  down->add_option("--why", *why, "the reason, kept with the take-down")->required();
  down->footer(
      "Exit code 3: some files are made again by no job; enter one where the card is still "
      "wanted.\n"
      "Example: affiche photos revoke flickr:4459771899 --why \"asked by its author\"");
  down->callback([&shared, target, why] {
    shared.run = [&shared, target, why] { return revoke(shared, *target, *why); };
  });

  CLI::App* again =
      photos.add_subcommand("audit", "ask the providers again about every photograph on a card");
  again->footer(
      "Exit code 3: a licence changed, is refused today, or its source is gone; 75: no answer.\n"
      "Example: affiche photos audit --json");
  again->callback([&shared] { shared.run = [&shared] { return audit(shared); }; });
  add_licences(photos, shared);
}

}  // namespace affiche::cli
