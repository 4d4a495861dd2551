// SPDX-License-Identifier: Apache-2.0
// affiche photos: the local library of photographs with their credits.
#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/error.h"
#include "base/json.h"
#include "cli/border.h"
#include "cli/command.h"
#include "service/photo_library.h"

namespace affiche::cli {
namespace {

constexpr int kPartlyDone = 3;

struct Opened {
  explicit Opened(const std::string& config_file)
      : config(service::load_config(config_file)),
        store(config.paths.database, clock),
        artifacts(config.paths.artifacts),
        library(config, store, artifacts) {}
  service::Config config;
  SystemClock clock;
  store::Store store;
  store::Artifacts artifacts;
  service::PhotoLibrary library;
};

void print(const Json& json) {
  std::puts(json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
}

Json to_object(const store::PhotoRecord& photo) {
  return {{"id", photo.id},
          {"width", photo.width},
          {"height", photo.height},
          {"media_type", photo.media_type},
          {"keywords", photo.keywords},
          {"imported_at", iso8601(photo.imported_at)},
          {"credit", Json::parse(to_json(photo.credit))}};
}

// "0123456789ab  2560x1600  Aqua · Photo: … · CC BY 4.0"
void print_line(const store::PhotoRecord& photo) {
  std::printf("%.12s  %5dx%-5d  %s · %s\n", photo.id.c_str(), photo.width, photo.height,
              photo.credit.title.c_str(), credit_line(photo.credit).c_str());
}

void print_import(const service::ImportedFile& file, int verbosity) {
  if (file.outcome == service::ImportedFile::Outcome::Refused) {
    std::fprintf(stderr, "refused   %s\n", file.reason.c_str());
  } else if (verbosity >= 0) {
    std::printf("%-9s %s: %s\n", name(file.outcome), file.file.c_str(), file.title.c_str());
  }
}

int import_folder(const Shared& shared, const std::string& folder) {
  Opened opened(shared.config_file);
  const auto report = opened.library.import_folder(folder);
  if (report.empty()) {
    fail(Cause::BadInput, folder, ": expected .jpg, .png or .webp pictures, found none");
  }
  Json answer = Json::array();
  std::size_t refused = 0;
  for (const service::ImportedFile& file : report) {
    refused += file.outcome == service::ImportedFile::Outcome::Refused ? 1 : 0;
    if (shared.json) {
      answer.push_back({{"file", file.file.string()},
                        {"outcome", name(file.outcome)},
                        {"id", file.id},
                        {"title", file.title},
                        {"reason", file.reason}});
    } else {
      print_import(file, shared.verbosity);
    }
  }
  if (shared.json) {
    print(answer);
  } else if (shared.verbosity >= 0) {
    std::printf("%zu photographs in %s, %zu refused\n", report.size(), folder.c_str(), refused);
  }
  return refused == 0 ? 0 : refused == report.size() ? exit_code(Cause::Refused) : kPartlyDone;
}

int list(const Shared& shared) {
  const Opened opened(shared.config_file);
  Json answer = Json::array();
  for (const store::PhotoRecord& photo : opened.store.photos()) {
    if (shared.json) {
      answer.push_back(to_object(photo));
    } else {
      print_line(photo);
    }
  }
  if (shared.json) print(answer);
  return 0;
}

}  // namespace

void add_photos(CLI::App& app, Shared& shared) {
  CLI::App* photos = app.add_subcommand("photos", "the local library of credited photographs");
  photos->require_subcommand(1);
  photos->footer("Example: affiche photos import ~/Pictures/press");

  add_photos_get(*photos, shared);
  const auto folder = std::make_shared<std::string>();
  CLI::App* importing = photos->add_subcommand(
      "import", "take in pictures with their sidecars; refused ones are named with the reason");
  importing
      ->add_option("folder", *folder, "folder of pictures, each with PICTURE.jpg.toml or .json")
      ->required()
      ->check(existing_input());
  importing->footer(
      "Exit code 3: some pictures were refused.\nExample: affiche photos import press/");
  importing->callback([&shared, folder] {
    shared.run = [&shared, folder] { return import_folder(shared, *folder); };
  });

  CLI::App* listing = photos->add_subcommand("list", "every photograph, newest first");
  listing->footer("Example: affiche photos list --json");
  listing->callback([&shared] { shared.run = [&shared] { return list(shared); }; });

  add_photos_search(*photos, shared);
  add_photo_rights(*photos, shared);
}

}  // namespace affiche::cli
