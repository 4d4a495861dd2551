// SPDX-License-Identifier: Apache-2.0
// affiche model fetch: brings a model of a hub, or one file of a URL, into the cache.
#include <algorithm>
#include <memory>

#include "base/error.h"
#include "cli/border.h"
#include "cli/download_progress.h"
#include "cli/model.h"
#include "cli/queue.h"
#include "hub/fetch.h"
#include "service/models.h"

namespace affiche::cli {
namespace {

struct Options {
  std::string reference;
  std::string file;
  std::string sha256;
  std::string endpoint;
  hub::Wish wish;
  bool offline = false;
};

std::string checked_sha256(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  const bool hex = text.find_first_not_of("0123456789abcdef") == std::string::npos;
  if (!text.empty() && (text.size() != 64 || !hex)) {
    fail(Cause::Usage, "--sha256: expected 64 hexadecimal digits, found \"", text, "\"");
  }
  return text;
}

hub::Wanted wanted_from(const Options& options) {
  hub::Wanted wanted;
  wanted.reference = hub::parse_reference(options.reference);
  wanted.wish = options.wish;
  wanted.sha256 = checked_sha256(options.sha256);
  const bool chosen = !options.wish.variant.empty() || !options.wish.includes.empty() ||
                      !options.wish.excludes.empty();
  if (!options.file.empty()) {
    if (!wanted.reference.of_hub() || !wanted.reference.file.empty()) {
      fail(Cause::Usage, "--file: expected with hub:OWNER/NAME, found with ",
           wanted.reference.text());
    }
    hub::check_repo_path(options.file, "--file");
    wanted.reference.file = options.file;
  }
  if (chosen && (!wanted.reference.of_hub() || !wanted.reference.file.empty())) {
    fail(Cause::Usage,
         "--variant, --include and --exclude choose among the files of a repository, ",
         wanted.reference.text(), " is one file");
  }
  return wanted;
}

void print_answer(const hub::Wanted& wanted, const hub::Fetched& fetched, const Shared& shared) {
  if (shared.json) {
    Json files = Json::array();
    for (const auto& file : fetched.files) {
      files.push_back({{"path", file.path},
                       {"bytes", file.size},
                       {"hash", file.hash},
                       {"verified", file.verified},
                       {"fetched", file.fetched}});
    }
    print_json({{"path", fetched.place.path.string()},
                {"reference", wanted.reference.text()},
                {"commit", fetched.place.commit.empty() ? Json() : Json(fetched.place.commit)},
                {"received", fetched.received},
                {"files", files},
                {"warnings", fetched.warnings}});
    return;
  }
  if (shared.verbosity >= 0) {
    for (const std::string& warning : fetched.warnings) {
      std::fprintf(stderr, "affiche: warning: %s\n", printable(warning).c_str());
    }
  }
  std::printf("%s\n", fetched.place.path.c_str());
}

int fetch_model(const Options& options, const Shared& shared) {
  const hub::Wanted wanted = wanted_from(options);
  hub::Settings settings = service::hub_settings(service::load_config(shared.config_file));
  if (!options.endpoint.empty()) settings.endpoint = options.endpoint;
  settings.offline = settings.offline || options.offline;
  DownloadProgress progress(DownloadProgress::style_for(shared.verbosity, shared.json));
  try {
    const hub::Fetched fetched = hub::fetch(settings, wanted, progress);
    progress.finish();
    print_answer(wanted, fetched, shared);
  } catch (...) {
    progress.finish();
    throw;
  }
  return 0;
}

}  // namespace

void add_model_fetch(CLI::App& model, Shared& shared) {
  const auto options = std::make_shared<Options>();
  CLI::App* command = model.add_subcommand("fetch", "bring a model into the cache");
  command
      ->add_option("model", options->reference,
                   "hub:OWNER/NAME[@REVISION], hub:OWNER/NAME/FILE[@REVISION] or https://HOST/FILE")
      ->required();
  command->add_option("--file", options->file, "one file of the repository");
  command->add_option("--variant", options->wish.variant,
                      "weights of this variant where there are some, for instance fp16");
  command
      ->add_option("--include", options->wish.includes,
                   "files that match this pattern, in place of those of a pipeline; may be given "
                   "several times")
      ->allow_extra_args(false);
  command->add_option("--exclude", options->wish.excludes, "but for files that match this pattern")
      ->allow_extra_args(false);
  command->add_option("--sha256", options->sha256, "what the one file must hash to");
  command->add_option("--endpoint", options->endpoint, "hub in place of models.endpoint");
  command->add_flag("--offline", options->offline, "answer from the cache, ask nobody");
  command->footer(
      "Prints the path that --model takes. A token is read from AFFICHE_HUB_TOKEN or HF_TOKEN.\n"
      "Example: affiche model fetch hub:OWNER/NAME --variant fp16");
  command->callback([&shared, options] {
    shared.run = [&shared, options] { return fetch_model(*options, shared); };
  });
}

}  // namespace affiche::cli
