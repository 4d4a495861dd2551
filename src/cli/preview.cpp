// SPDX-License-Identifier: Apache-2.0
// affiche preview: every variant of a template as one picture, or single cards at full size.
#include <future>
#include <iostream>
#include <mutex>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cards/encode.h"
#include "cli/border.h"
#include "cli/command.h"
#include "http/live_preview.h"
#include "service/config.h"
#include "service/names.h"
#include "service/preview.h"
#include "service/worker_signals.h"

namespace affiche::cli {
namespace {

struct Options {
  std::string card_template;
  std::string brand;
  std::string photo;
  std::string credit;
  std::string out;
  std::string cards;
  std::string data;
  int port = 0;
  bool quick = false;
  bool overlay = false;
  bool watch = false;
  int height = 260;
};

service::PreviewOptions preview_options(const Options& options) {
  service::PreviewOptions preview;
  preview.all = !options.quick;
  preview.height = options.height;
  preview.overlay = options.overlay;
  if (options.photo.empty() != options.credit.empty()) {
    fail(Cause::Usage, "preview: --photo and --credit belong together");
  }
  if (!options.photo.empty()) {
    preview.photo = Photo(read_bytes(options.photo),
                          credit_from_json(read_text(options.credit), options.credit));
  }
  return preview;
}

service::PreviewOptions preview_options(const Options& options, const cards::Template& card) {
  service::PreviewOptions preview = preview_options(options);
  if (!options.data.empty()) preview.data = service::data_cases(options.data, card);
  return preview;
}

// Serves the live page until a signal comes.
int watch(const Options& options, const service::Config& config) {
  std::promise<void> over;
  std::once_flag once;
  const service::StopSignals signals([&] { std::call_once(once, [&] { over.set_value(); }); });
  http::LivePreviewFiles files;
  files.card_template =
      service::named_file(options.card_template, config.paths.templates, "template");
  files.brand = service::named_file(options.brand, config.paths.brands, "brand");
  files.data = options.data;
  http::LivePreview page(files, preview_options(options));
  std::cout << "http://127.0.0.1:" << page.start(options.port) << "/" << std::endl;
  over.get_future().wait();
  return 0;
}

// Every case in every size as FOLDER/TEMPLATE-BRAND-SIZE-CASE.jpg.
int write_cards(const cards::Template& card, const cards::Brand& brand, const Options& options,
                std::vector<std::string>& written, std::vector<std::string>& errors) {
  const service::PreviewOptions preview = preview_options(options, card);
  std::vector<service::PreviewCase> cases = preview.data;
  for (auto& each : service::preview_cases(card, brand, preview.all)) {
    cases.push_back(std::move(each));
  }
  for (const service::PreviewCase& which : cases) {
    for (const std::string& size : card.sizes()) {
      const std::string name =
          concat(card.name, "-", brand.name, "-", size, "-", service::slug(which.name), ".jpg");
      try {
        const cards::Composed made =
            service::preview_card(card.at_size(size), brand, which, preview);
        const std::filesystem::path path = std::filesystem::path(options.cards) / name;
        write_atomically(path, cards::encode(made.image, cards::Format::Jpeg).bytes);
        written.push_back(path.string());
      } catch (const Error& error) {
        errors.push_back(name + ": " + error.what());
      }
    }
  }
  return errors.empty() ? 0 : written.empty() ? 1 : 3;
}

int preview(const Options& options, const Shared& shared) {
  const service::Config config = service::load_config(shared.config_file);
  if (options.watch) return watch(options, config);
  const cards::Template card = cards::load_template(
      service::named_file(options.card_template, config.paths.templates, "template"));
  const cards::Brand brand =
      cards::load_brand(service::named_file(options.brand, config.paths.brands, "brand"));
  std::vector<std::string> written;
  std::vector<std::string> errors;
  int code = 0;
  if (!options.cards.empty()) {
    code = write_cards(card, brand, options, written, errors);
  } else {
    const service::PreviewSheet sheet =
        service::preview_sheet(card, brand, preview_options(options, card));
    const std::string out =
        options.out.empty() ? card.name + "-" + brand.name + ".jpg" : options.out;
    cards::EncodeOptions encoding;
    encoding.budget = 0;
    write_atomically(out, cards::encode(sheet.image, cards::format_for(out), encoding).bytes);
    written.push_back(out);
    errors = sheet.errors;
    code = errors.empty() ? 0 : 3;
  }
  if (shared.json) {
    std::cout << Json{{"files", written}, {"errors", errors}}.dump() << std::endl;
    return code;
  }
  for (const std::string& file : written) std::cout << file << '\n';
  for (const std::string& error : errors) std::cerr << "error: " << error << '\n';
  return code;
}

}  // namespace

void add_preview(CLI::App& app, Shared& shared) {
  auto options = std::make_shared<Options>();
  CLI::App* command =
      app.add_subcommand("preview", "every variant of a template with sample values");
  command->add_option("template", options->card_template, "name or path of a template")->required();
  command->add_option("--brand", options->brand, "name or path of a brand");
  command->add_option("--photo", options->photo, "a photograph in place of the drawn stand-in")
      ->check(existing_input());
  command->add_option("--credit", options->credit, "JSON file with the photograph's credit")
      ->check(existing_input());
  command->add_option("--out", options->out, "the contact sheet: .jpg, .png or .webp");
  command->add_option("--cards", options->cards, "a folder: every card at full size instead");
  command->add_option("--height", options->height, "pixels of a card on the sheet")
      ->check(CLI::Range(64, 1200));
  command->add_flag("--quick", options->quick, "the sample values only");
  command->add_flag("--overlay", options->overlay,
                    "draw boxes, baselines, the safe zone, sizes and contrast figures");
  command->add_option("--data", options->data, "JSON file with values of your own to show too")
      ->check(existing_input());
  command->add_flag("--watch", options->watch,
                    "a live page on this machine that follows the files, until Ctrl-C");
  command->add_option("--port", options->port, "of the live page; 0: a free one")
      ->check(CLI::Range(0, 65535));
  command->footer("Example: affiche preview article --brand demo --out article.jpg");
  command->callback([options, &shared] {
    shared.run = [options, &shared]() -> int { return preview(*options, shared); };
  });
}

}  // namespace affiche::cli
