// SPDX-License-Identifier: Apache-2.0
// Every shipped template with every shipped brand: all sizes, short and long words, both schemes,
// with and without a photo, from left to right and from right to left. What a card needs to come
// out at all is checked by composing it; here, that it is the size, and that all words can be read.
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "cards/fixtures.h"
#include "cards/schema.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

const std::vector<std::string> kTemplates = {"article", "event", "figure",  "listing",
                                             "news",    "plain", "podcast", "quote"};
const std::vector<std::string> kBrands = {"atelier", "demo", "harbour", "signal"};

CardInputs inputs_for(const Template& card, bool right_to_left, bool with_photo) {
  CardInputs inputs;
  for (const auto& [name, variable] : card.variables) {
    if (!variable.sample.empty()) inputs.variables[name] = variable.sample;
    if (variable.type != Variable::Type::Text || variable.max_length < 60) continue;
    inputs.variables[name] =
        right_to_left ? "كيف أصبح مرج جبلي هادئ أكثر التجارب مراقبة"
                      : std::string("How a quiet alpine meadow became the most closely watched one")
                            .substr(0, static_cast<std::size_t>(variable.max_length));
  }
  if (with_photo && card.has_photo()) inputs.photo = photo();
  for (const bool drawn : {false, true}) {
    for (const std::string& name :
         drawn ? card.drawn_names(with_photo) : card.generated_names(with_photo)) {
      inputs.generated.emplace(name, generated("drawn"));
    }
  }
  return inputs;
}

}  // namespace

TEST_CASE("every shipped template comes out in every size, brand and direction", "[shipped]") {
  int turn = 0;
  for (const std::string& name : kTemplates) {
    const Template card = load_template(kRoot / "templates" / (name + ".toml"));
    INFO(name);
    CHECK(card.sizes().size() == 5);
    for (const std::string& size : card.sizes()) {
      // Each size meets another brand, direction and photo; together they cover all.
      ++turn;
      const std::string brand_name = kBrands[static_cast<std::size_t>(turn) % kBrands.size()];
      const Brand brand = load_brand(kRoot / "brands" / (brand_name + ".toml"));
      const Template& one = card.at_size(size);
      CardInputs inputs = inputs_for(one, turn % 3 == 0, turn % 2 == 0);
      if (one.variables.contains("theme"))
        inputs.variables["theme"] = turn % 4 < 2 ? "dark" : "light";
      INFO(size << " " << brand_name);
      const Composed made = compose(one, brand, inputs);
      CHECK(made.image.width == one.width);
      CHECK(made.image.height == one.height);
      for (const LayerReport& report : made.layers) {
        if (report.lines == 0 || report.name.starts_with("mark")) continue;
        INFO(report.name);
        CHECK(report.contrast >= (report.size >= 40.0 * one.width / 1200 ? 3.0 : 4.5));
      }
    }
  }
}

TEST_CASE("the gallery's sheets come out and show every kind of layer and every effect",
          "[shipped][docs]") {
  const auto text_of = [](const std::string& name) {
    return read_text(kRoot / "docs/gallery" / (name + ".toml"));
  };
  for (const std::string name : {"layers", "effects"}) {
    INFO(name);
    const Template card = load_template(kRoot / "docs/gallery" / (name + ".toml"));
    CardInputs inputs;
    for (const auto& [variable, meaning] : card.variables) {
      inputs.variables[variable] = meaning.sample;
    }
    inputs.photo = photo();
    for (const std::string source : {"background", "chrome"}) {
      inputs.generated.emplace(source, generated("drawn"));
    }
    CHECK(compose(card, demo(), inputs).image.width == card.width);
  }
  for (const std::string& kind : layer_kinds()) {
    INFO(kind);
    CHECK(contains(text_of("layers"), "kind = \"" + kind + "\""));
  }
  std::istringstream page(read_text(kRoot / "docs/templates.md"));
  std::string line;
  while (std::getline(page, line) && line != "| effect | meaning |") continue;
  std::getline(page, line);
  int effects = 0;
  for (; std::getline(page, line) && line.starts_with("| `"); ++effects) {
    const std::string key = line.substr(3, line.find('`', 3) - 3);
    INFO(key);
    CHECK(contains(text_of("effects"), "\n" + key + " = "));
  }
  CHECK(effects > 10);
}

}  // namespace affiche::cards::test
