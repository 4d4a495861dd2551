// SPDX-License-Identifier: Apache-2.0
// affiche photos get: one photograph from a provider, judged, fetched and taken into the library.
#include <cstdio>
#include <memory>
#include <string>

#include "base/json.h"
#include "cli/command.h"
#include "service/card_job.h"
#include "service/photo_finder.h"

namespace affiche::cli {
namespace {

int get(const Shared& shared, const std::string& words) {
  const service::Config config = service::load_config(shared.config_file);
  const SystemClock clock;
  store::Store store(config.paths.database, clock);
  const store::Artifacts artifacts(config.paths.artifacts);
  const service::PhotoLibrary library(config, store, artifacts);
  service::PhotoSources sources(config, clock);
  service::PhotoFinder finder(config, store, artifacts, library, sources);
  const service::PhotoRequest request =
      service::photo_request(Json(words).dump(), "photo \"" + words + "\"");
  const service::FoundPhoto found =
      request.reference.empty() ? finder.find(words, "") : finder.get(request.reference);
  const auto record = store.photo(found.id);
  const int width = record ? record->width : 0, height = record ? record->height : 0;
  if (shared.json) {
    const Json answer = {{"id", found.id},
                         {"width", width},
                         {"height", height},
                         {"file", artifacts.path(found.id).string()},
                         {"credit", Json::parse(to_json(found.photo.credit()))}};
    std::puts(answer.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    const Credit& credit = found.photo.credit();
    std::printf("%s\n%dx%d  %s · %s\n%s\n", found.id.c_str(), width, height, credit.title.c_str(),
                credit_line(credit).c_str(), credit.source_url.c_str());
  }
  return 0;
}

}  // namespace

void add_photos_get(CLI::App& photos, Shared& shared) {
  const auto what = std::make_shared<std::vector<std::string>>();
  CLI::App* command = photos.add_subcommand(
      "get", "one photograph for these words, a URL or PROVIDER:ID, taken into the library");
  command->add_option("what", *what, "words, the URL of a provider's page, or PROVIDER:ID")
      ->required();
  command->footer(
      "Asks the places of photos.order, first to last.\n"
      "Example: affiche photos get \"commons:File:Sunset at the beach.jpg\"");
  command->callback([&shared, what] {
    shared.run = [&shared, what] {
      std::string words;
      for (const std::string& word : *what) words += (words.empty() ? "" : " ") + word;
      return get(shared, words);
    };
  });
}

}  // namespace affiche::cli
