// SPDX-License-Identifier: Apache-2.0
// affiche template new|check|schema: writing templates without a running service.
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "cards/schema.h"
#include "cards/template.h"
#include "cli/border.h"
#include "cli/command.h"
#include "service/config.h"
#include "service/names.h"

namespace affiche::cli {
namespace {

// A template that loads, shows the main parts and says where the rest is documented.
constexpr const char* kNew =
    R"toml(# docs/templates.md explains every key; `affiche preview FILE` shows every variant.
description = "NAME"
photo_missing = "variant"   # without a photo: the words over the whole card
mirror = true               # languages from right to left are set mirrored
scheme = "var.theme"        # light or dark, where the brand has both

[canvas]
width = 1200
height = 630
safe = [45, 60, 45, 60]     # every platform shows at least this
background = "brand.ground"

[sizes.square]
width = 1200
height = 1200
layers.photo = { box = [0, 0, "100%", "50%"] }
layers.credit = { box = [60, 480, 1080, 70] }
layers.kicker = { size = 30 }
layers.headline = { max_size = 104, lines = 5 }
stacks.words = { box = [60, 640, 1080, 500], box_no_photo = [60, 120, 1080, 960] }

[variables.headline]
required = true
max_length = 160
sample = "A headline that says what happened"

[variables.kicker]
max_length = 40
sample = "Science"

[variables.theme]
type = "choice"
choices = ["light", "dark"]

[[stacks]]
name = "words"
box = [60, 120, 560, 450]
box_no_photo = [60, 120, 1080, 450]
align = "end"
spacing = 24

[[layers]]
kind = "photo"
box = [660, 0, 540, 630]

[[layers]]
kind = "logo"
box = [60, 45, 240, 54]
when = "size == 'card'"

[[layers]]
name = "kicker"
kind = "text"
stack = "words"
content = ["{{kicker}}"]
font = "kicker"
colour = "brand.accent"
size = 24

[[layers]]
name = "headline"
kind = "text"
stack = "words"
content = ["{{headline}}"]
font = "headline"
colour = "brand.text"
max_size = 64
min_size = 30
lines = 4
balance = true
ellipsis = true

[[layers]]
kind = "credit"
when = "photo"
box = [680, 500, 460, 85]
size = 20
lines = 3
align = "end"
)toml";

int write_new(const std::string& file) {
  const std::filesystem::path path = file.ends_with(".toml") ? file : file + ".toml";
  if (std::filesystem::exists(path)) {
    fail(Cause::BadInput, path.string(), ": expected a new file, found one; choose another name");
  }
  std::string text = kNew;
  text.replace(text.find("NAME"), 4, path.stem().string());
  write_atomically(path, text);
  std::cout << path.string() << '\n';
  return 0;
}

Json facts(const cards::Template& card, const std::filesystem::path& path) {
  Json sizes = Json::array();
  for (const std::string& size : card.sizes()) {
    const cards::Template& one = card.at_size(size);
    sizes.push_back({{"name", size},
                     {"width", one.width},
                     {"height", one.height},
                     {"layers", one.layers.size()}});
  }
  Json variables = Json::array();
  for (const auto& [name, variable] : card.variables) {
    variables.push_back({{"name", name}, {"required", variable.required}});
  }
  return {{"file", path.string()}, {"sizes", sizes}, {"variables", variables}};
}

int check(const std::vector<std::string>& names, const Shared& shared) {
  const service::Config config = service::load_config(shared.config_file);
  int bad = 0;
  Json answers = Json::array();
  for (const std::string& name : names) {
    try {
      const auto path = service::named_file(name, config.paths.templates, "template");
      const Json found = facts(cards::load_template(path), path);
      answers.push_back(found);
      if (!shared.json) {
        std::cout << path.string() << ": good, " << found["sizes"].size() << " size(s), "
                  << found["variables"].size() << " variable(s)\n";
      }
    } catch (const Error& error) {
      ++bad;
      answers.push_back({{"file", name}, {"error", error.what()}});
      if (!shared.json) std::cerr << "error: " << error.what() << '\n';
    }
  }
  if (shared.json) {
    std::cout << answers.dump(-1, ' ', false, Json::error_handler_t::replace) << std::endl;
  }
  return bad == 0 ? 0 : 2;
}

}  // namespace

void add_template(CLI::App& app, Shared& shared) {
  CLI::App* command = app.add_subcommand("template", "write and check templates");
  command->require_subcommand(1);
  command->footer("Example: affiche template check article");

  auto file = std::make_shared<std::string>();
  CLI::App* create = command->add_subcommand("new", "write a template to begin with");
  create->add_option("file", *file, "the file to write")->required();
  create->footer("Example: affiche template new templates/story.toml");
  create->callback([file, &shared] { shared.run = [file]() -> int { return write_new(*file); }; });

  auto names = std::make_shared<std::vector<std::string>>();
  CLI::App* checked = command->add_subcommand("check", "read templates and say what is wrong");
  checked->add_option("templates", *names, "names or paths")->required();
  checked->footer("Example: affiche template check article templates/quote.toml");
  checked->callback([names, &shared] {
    shared.run = [names, &shared]() -> int { return check(*names, shared); };
  });

  CLI::App* schema = command->add_subcommand("schema", "the format as JSON Schema, for editors");
  schema->footer("Example: affiche template schema > template.schema.json");
  schema->callback([&shared] {
    shared.run = []() -> int {
      std::cout << cards::template_json_schema();
      return 0;
    };
  });
}

}  // namespace affiche::cli
