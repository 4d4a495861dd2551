// SPDX-License-Identifier: Apache-2.0
// affiche credits: the ledger of every photograph on every card.
#include <memory>

#include "base/error.h"
#include "cli/queue.h"
#include "service/credits_page.h"

namespace affiche::cli {
namespace {

// "2026-11-21" is that day's first second in UTC.
Millis instant(const std::string& text) {
  return text.empty() ? 0 : parse_iso8601(text.size() == 10 ? text + "T00:00:00Z" : text);
}

int credits(const Shared& shared, const std::string& since, const std::string& format) {
  const Millis from = instant(since);
  const Queue queue(shared);
  const service::Ledger ledger = queue.store.credits(from);
  const std::string page = shared.json || format == "json" ? service::credits_json(ledger)
                           : format == "csv"               ? service::credits_csv(ledger)
                           : format == "html"              ? service::credits_html(ledger)
                                                           : service::credits_markdown(ledger);
  std::fputs(page.c_str(), stdout);
  return kDone;
}

}  // namespace

void add_credits(CLI::App& app, Shared& shared) {
  const auto since = std::make_shared<std::string>();
  const auto format = std::make_shared<std::string>("md");
  CLI::App* command =
      app.add_subcommand("credits", "the ledger: every photograph on every card, with its credit");
  command->add_option("--since", *since, "from then on, as 2026-11-21 or 2026-11-21T14:20:53Z")
      ->type_name("TIME");
  command->add_option("--format", *format, "md, csv, json or html")
      ->check(CLI::IsMember({"md", "csv", "json", "html"}));
  command->footer("Example: affiche credits --since 2026-11-01 --format csv > credits.csv");
  command->callback([&shared, since, format] {
    shared.run = [&shared, since, format] { return credits(shared, *since, *format); };
  });
}

}  // namespace affiche::cli
