// SPDX-License-Identifier: Apache-2.0
// affiche credits: the ledger of every photograph on every card.
#include <memory>

#include "base/error.h"
#include "cli/queue.h"

namespace affiche::cli {
namespace {

using Entries = std::vector<store::CreditEntry>;

// "2026-11-21" is that day's first second in UTC.
Millis instant(const std::string& text) {
  return text.empty() ? 0 : parse_iso8601(text.size() == 10 ? text + "T00:00:00Z" : text);
}

std::string escape(const std::string& text, const std::string& special,
                   const std::vector<std::string>& replacements) {
  std::string out;
  for (const char c : text) {
    const std::size_t at = special.find(c);
    if (at == std::string::npos) {
      out.push_back(c);
    } else {
      out += replacements[at];
    }
  }
  return out;
}

std::string html(const std::string& text) {
  return escape(text, "&<>\"'\n", {"&amp;", "&lt;", "&gt;", "&quot;", "&#39;", " "});
}

std::string markdown(const std::string& text) {
  return escape(text, "|\\`*_[]<>\r\n",
                {"\\|", "\\\\", "\\`", "\\*", "\\_", "\\[", "\\]", "&lt;", "&gt;", " ", " "});
}

// A cell that begins like a formula would be run by a spreadsheet.
std::string csv(std::string text) {
  if (!text.empty() && std::string("=+-@\t\r").find(text[0]) != std::string::npos) {
    text.insert(0, "'");
  }
  return "\"" + escape(text, "\"", {"\"\""}) + "\"";
}

// Only links that a browser follows to a page.
bool is_web(const std::string& url) {
  return url.starts_with("https://") || url.starts_with("http://");
}

void print_md(const Entries& entries) {
  std::puts("| when | card | title | author | source | licence | credit line |");
  std::puts("| --- | --- | --- | --- | --- | --- | --- |");
  for (const store::CreditEntry& entry : entries) {
    const Credit& credit = entry.credit;
    std::printf("| %s | %s | %s | %s | %s | %s | %s |\n", iso8601(entry.at).c_str(),
                markdown(entry.card_path).c_str(), markdown(credit.title).c_str(),
                markdown(credit.author).c_str(),
                markdown(credit.source_url.empty() ? credit.source : credit.source_url).c_str(),
                markdown(license_label(credit.license)).c_str(), markdown(entry.line).c_str());
  }
}

void print_csv(const Entries& entries) {
  std::puts(
      "when,job,card,card_sha256,photo,title,author,author_url,source,source_url,license,"
      "license_url,changes,line");
  for (const store::CreditEntry& entry : entries) {
    const Credit& credit = entry.credit;
    std::string changes;
    for (const std::string& change : credit.changes)
      changes += (changes.empty() ? "" : "; ") + change;
    std::string line =
        iso8601(entry.at) + "," + (entry.job_id ? std::to_string(*entry.job_id) : "");
    for (const std::string& cell :
         {entry.card_path, entry.card_sha256, entry.photo_id, credit.title, credit.author,
          credit.author_url, credit.source, credit.source_url, credit.license, credit.license_url,
          changes, entry.line}) {
      line += "," + csv(cell);
    }
    std::puts(line.c_str());
  }
}

void print_html(const Entries& entries) {
  std::puts(
      "<table class=\"credits\">\n<thead><tr><th>When</th><th>Card</th><th>Credit</th>"
      "<th>Licence</th></tr></thead>\n<tbody>");
  for (const store::CreditEntry& entry : entries) {
    const Credit& credit = entry.credit;
    const auto link = [](const std::string& url, const std::string& text) {
      return is_web(url) ? "<a href=\"" + html(url) + "\">" + html(text) + "</a>" : html(text);
    };
    std::printf("<tr><td>%s</td><td>%s</td><td>%s</td><td>%s</td></tr>\n",
                iso8601(entry.at).c_str(), html(entry.card_path).c_str(),
                link(credit.source_url, entry.line).c_str(),
                link(credit.license_url, license_label(credit.license)).c_str());
  }
  std::puts("</tbody>\n</table>");
}

void print_objects(const Entries& entries) {
  Json list = Json::array();
  for (const store::CreditEntry& entry : entries) {
    list.push_back({{"id", entry.id},
                    {"job", entry.job_id ? Json(*entry.job_id) : Json()},
                    {"card", entry.card_path},
                    {"card_sha256", entry.card_sha256},
                    {"photo", entry.photo_id},
                    {"credit", Json::parse(to_json(entry.credit))},
                    {"line", entry.line},
                    {"at", iso8601(entry.at)}});
  }
  print_json(list);
}

int credits(const Shared& shared, const std::string& since, const std::string& format) {
  const Millis from = instant(since);
  const Queue queue(shared);
  const Entries entries = queue.store.credits(from);
  if (shared.json || format == "json") {
    print_objects(entries);
  } else if (format == "csv") {
    print_csv(entries);
  } else if (format == "html") {
    print_html(entries);
  } else {
    print_md(entries);
  }
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
