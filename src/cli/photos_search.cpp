// SPDX-License-Identifier: Apache-2.0
// affiche photos search: what a job with these words would look at, and why it would refuse it.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "cards/contact_sheet.h"
#include "cards/encode.h"
#include "cli/queue.h"
#include "service/photo_choice.h"
#include "service/thumbnails.h"

namespace affiche::cli {
namespace {

using service::Considered;

struct Options {
  std::vector<std::string> words;
  std::string size;      // "1200x630"
  std::string language;  // BCP 47
  std::string sheet;     // PNG file; empty: none
};

// The credit that the card would have; the record's own words where it would be refused.
Credit credit_for(const Considered& one) {
  if (one.fit.kept && one.candidate.provider != "folder") {
    return photos::credit_of(one.candidate, one.ruling);
  }
  Credit credit;
  credit.title = one.candidate.title;
  credit.author = one.candidate.creator;
  credit.author_url = one.candidate.creator_url;
  credit.source = one.candidate.source;
  credit.source_url = one.candidate.landing_url;
  credit.license = one.ruling.license.id;
  credit.license_url = one.ruling.license.url;
  return credit;
}

std::string label_of(const Considered& one) {
  const std::string& id = one.ruling.license.id;
  return id.empty() ? "no licence" : license_label(id);
}

std::string name_of(const Considered& one) {
  return one.photo_id.empty() ? one.candidate.provider + ":" + one.candidate.source_id
                              : one.photo_id.substr(0, 12);
}

Json to_object(const Considered& one) {
  return {{"id", one.photo_id.empty() ? Json() : Json(one.photo_id)},
          {"provider", one.photo_id.empty() ? one.candidate.provider : "library"},
          {"source_id", one.candidate.source_id},
          {"width", one.candidate.width},
          {"height", one.candidate.height},
          {"score", one.fit.score},
          {"kept", one.fit.kept},
          {"rule", one.fit.rule},
          {"reason", one.fit.reason},
          {"credit", Json::parse(to_json(credit_for(one)))}};
}

void print_line(const Considered& one) {
  std::printf("%-8s %s  %5dx%-5d  %s · %s%s%s\n", one.fit.kept ? "kept" : "refused",
              name_of(one).c_str(), one.candidate.width, one.candidate.height,
              one.candidate.title.c_str(), credit_line(credit_for(one)).c_str(),
              one.fit.kept ? "" : ": ", one.fit.reason.c_str());
}

cards::SheetCell cell_of(const Considered& one, std::size_t place, service::Thumbnail thumbnail) {
  cards::SheetCell cell;
  cell.good = one.fit.kept;
  cell.mark = one.fit.kept ? std::to_string(place + 1) + " · kept · " + label_of(one)
                           : "refused · " + one.fit.rule + " · " + label_of(one);
  cell.heading = one.candidate.title.empty() ? "Untitled" : one.candidate.title;
  cell.text = credit_line(credit_for(one)) + "\n" + std::to_string(one.candidate.width) + "×" +
              std::to_string(one.candidate.height) + " · " + name_of(one);
  if (!one.fit.reason.empty()) cell.text += "\nRefused: " + one.fit.reason;
  if (one.fit.kept) cell.text += "\nKept: " + one.ruling.decision.reason;
  if (!thumbnail.problem.empty()) cell.text += "\nNo picture: " + thumbnail.problem;
  cell.picture = std::move(thumbnail.picture);
  return cell;
}

void write_sheet(const std::string& file, const std::string& title,
                 const std::vector<Considered>& all, service::PhotoSources& sources,
                 const store::Artifacts& artifacts) {
  constexpr std::size_t kMost = 60;
  const std::span shown = std::span(all).first(std::min(all.size(), kMost));
  std::vector<service::Thumbnail> small = service::thumbnails(shown, sources, artifacts);
  std::vector<cards::SheetCell> cells;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    cells.push_back(cell_of(shown[i], i, std::move(small[i])));
  }
  if (cells.empty()) {
    fail(Cause::NotFound, "photos search: no photograph to put onto ", file);
  }
  write_atomically(file, cards::encode_png(cards::contact_sheet(title, cells)));
}

void read_size(const std::string& text, service::ChoiceRequest& request) {
  if (text.empty()) return;
  int end = 0;
  const bool fine =
      std::sscanf(text.c_str(), "%5dx%5d%n", &request.width, &request.height, &end) == 2 &&
      end == static_cast<int>(text.size());
  if (!fine || request.width < 1 || request.height < 1) {
    fail(Cause::Usage, "--size ", text, ": expected WIDTHxHEIGHT in pixels, such as 1200x630");
  }
}

int search(const Shared& shared, const Options& options) {
  service::ChoiceRequest request;
  read_size(options.size, request);
  request.language = options.language;
  std::string query;
  for (const std::string& word : options.words) query += (query.empty() ? "" : " ") + word;

  Queue queue(shared);
  const service::PhotoLibrary library(queue.config, queue.store, queue.artifacts);
  service::PhotoSources sources(queue.config, queue.clock);
  service::PhotoFinder finder(queue.config, queue.store, queue.artifacts, library, sources);
  service::PhotoChoice choice(queue.config, queue.store, library,
                              service::places_of(queue.config, sources, finder));
  std::vector<std::string> problems;
  const std::vector<Considered> all = choice.consider(query, request, problems);
  const auto kept =
      std::count_if(all.begin(), all.end(), [](const Considered& one) { return one.fit.kept; });
  if (shared.json) {
    Json answer = Json::array();
    for (const Considered& one : all) answer.push_back(to_object(one));
    print_json(answer);
  } else {
    for (const Considered& one : all) print_line(one);
    if (all.empty()) std::fprintf(stderr, "no photograph has any of these words\n");
  }
  for (const std::string& problem : problems) std::fprintf(stderr, "%s\n", problem.c_str());
  if (!options.sheet.empty()) {
    write_sheet(options.sheet,
                "“" + query + "”: " + std::to_string(kept) + " of " + std::to_string(all.size()) +
                    " may be used",
                all, sources, queue.artifacts);
  }
  return kept > 0 ? kDone : problems.empty() ? kFailed : kTryLater;
}

}  // namespace

void add_photos_search(CLI::App& photos, Shared& shared) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = photos.add_subcommand(
      "search", "what a job with these words would look at, best first, then what it refuses");
  command->add_option("query", options->words, "words of keywords and titles")->required();
  command->add_option("--size", options->size, "the photo's place on the card, WIDTHxHEIGHT");
  command->add_option("--language", options->language, "of the words, as de or pt-BR");
  command->add_option("--sheet", options->sheet, "draw them onto a contact sheet, a PNG file");
  command->footer(
      "Exit code 1: nothing that may be used.\n"
      "Example: affiche photos search river at dawn --size 1200x630 --sheet river.png");
  command->callback(
      [&shared, options] { shared.run = [&shared, options] { return search(shared, *options); }; });
}

}  // namespace affiche::cli
