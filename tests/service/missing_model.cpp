// SPDX-License-Identifier: Apache-2.0
// What becomes of a card whose brand names a model that is not there.
#include <set>

#include "catch.h"
#include "service/backgrounds.h"
#include "service/drawn_background.h"
#include "service/house.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::service;
using affiche::test::contains;
using affiche::test::House;
using affiche::test::kSource;
using affiche::test::thrown;

namespace {

namespace fs = std::filesystem;

struct Orphan : House {
  // The brand of the house with another model, and no model shipped unless a test says where.
  explicit Orphan(const std::string& model = "nowhere/model") {
    config.paths.models = folder / "no-models";
    config.models.cache = folder / "cache";
    std::string brand = read_text(folder / "tiny.toml");
    const std::string own = (kSource / "tests/data/goldens/models/sd15").string();
    brand.replace(brand.find(own), own.size(), model);
    write_atomically(folder / "tiny.toml", brand);
  }
  void use_template(const std::string& first_line) {
    std::string text = read_text(kSource / "templates/article.toml");
    fs::create_directories(folder / "templates");
    write_atomically(folder / "templates/article.toml", first_line + "\n" + text);
    fs::create_directory_symlink(kSource / "assets", folder / "assets");
    config.paths.templates = folder / "templates";
  }
  // The record beside the card of the only job.
  Json record(std::int64_t id) {
    fs::path beside = store.job(id)->outputs.at(0);
    return parse_json(read_text(beside.replace_extension(".credits.json")), "credits");
  }
  std::string card(std::int64_t id) { return read_text(store.job(id)->outputs.at(0)); }
  Json pictures(std::int64_t id) {
    return Json::parse(store.stages(id).at("background").detail).at("pictures");
  }
};

}  // namespace

TEST_CASE("a brand whose model is missing gets the shipped model, and the record says so") {
  Orphan house;
  house.config.paths.models = kSource / "assets/models";
  const std::int64_t id = house.add("Where the desert keeps its water", "\"desert\"");
  REQUIRE(house.drain().done == 1);
  const Json record = house.record(id);
  REQUIRE(record.at("notes").size() == 2);
  const std::string note = record.at("notes")[0].get<std::string>();
  CHECK(contains(note,
                 "background: made by the shipped model affiche-mini, as brand \"tiny\": model "));
  CHECK(contains(note, "nowhere/model: expected a model, found nothing"));
  CHECK(record.at("generated").at("background").at("model") == "affiche-mini");
  CHECK(contains(record.at("generated").at("background").at("prompt").get<std::string>(),
                 "ink navy, "));
  CHECK(contains(record.at("digital_source_type").get<std::string>(), "compositeSynthetic"));
  CHECK(house.pictures(id).at("background").at("note") == note);
  CHECK(contains(Json::parse(house.store.stages(id).at("compose").detail).at("warnings").dump(),
                 "made by the shipped model"));
}

TEST_CASE("without the shipped model code draws, and nobody calls that AI") {
  Orphan house;
  const std::int64_t id = house.add("Where the desert keeps its water", "\"desert\"");
  REQUIRE(house.drain().done == 1);
  const Json record = house.record(id);
  CHECK(
      contains(record.at("notes")[0].get<std::string>(), "background: drawn without a model, as "));
  CHECK(record.at("generated").at("background").at("model") == "drawn");
  CHECK(record.at("digital_source_type") ==
        "http://cv.iptc.org/newscodes/digitalsourcetype/composite");
  const std::string card = house.card(id);
  CHECK(contains(card, "digitalsourcetype/composite"));
  CHECK(!contains(card, "compositeSynthetic"));
  CHECK(!contains(card, "AISystemUsed"));
  CHECK(house.store.credits().size() == 1);
}

TEST_CASE("a brand may have its pictures drawn, and nothing is said to be missing") {
  Orphan house("drawn");
  house.config.paths.models = kSource / "assets/models";
  house.use_template("model_missing = \"fail\"");
  const std::int64_t id = house.add("Where the desert keeps its water", "\"desert\"");
  REQUIRE(house.drain().done == 1);
  const Json record = house.record(id);
  CHECK(record.value("notes", Json::array()).empty());
  CHECK(record.at("generated").at("background").at("model") == "drawn");
  CHECK(!contains(house.card(id), "compositeSynthetic"));
}

TEST_CASE("a template may rather fail, and the job says why") {
  Orphan house;
  house.use_template("model_missing = \"fail\"");
  const std::int64_t id = house.add("Where the desert keeps its water", "\"desert\"");
  CHECK(house.drain().dead == 1);
  const std::string error = house.store.job(id)->error;
  CHECK(contains(error, "brand \"tiny\": model "));
  CHECK(contains(error, "expected a model, found nothing"));
  CHECK(contains(error, "model_missing = \"fail\""));
  CHECK(house.store.job(id)->attempts == 1);
}

TEST_CASE("a model that was not fetched counts as missing, and the note has the command") {
  Orphan house("hub:studio/brush@v1");
  Backgrounds backgrounds(house.store, house.artifacts, house.config);
  const cards::Brand brand = cards::load_brand(house.folder / "tiny.toml");
  const Backgrounds::Made made = backgrounds.make(brand, "background", 0, {});
  CHECK(contains(made.note, "run `affiche model fetch hub:studio/brush@v1`"));
  CHECK(backgrounds.make(brand, "background", 0, {}).cached);
  CHECK(contains(thrown([&] {
                   backgrounds.make(brand, "background", 0, {},
                                    cards::Template::ModelMissing::Fail);
                 }),
                 "not_found: "));
  CHECK(contains(thrown([&] { backgrounds.make(brand, "backgruond", 0, {}); }),
                 "did you mean 'background'?"));
}

TEST_CASE("a model that comes back paints again") {
  Orphan house("later/model");
  const cards::Brand before = cards::load_brand(house.folder / "tiny.toml");
  Backgrounds backgrounds(house.store, house.artifacts, house.config);
  CHECK(!backgrounds.make(before, "background", 0, {}).note.empty());
  fs::create_directories(before.voice.model.parent_path());
  fs::create_directory_symlink(kSource / "tests/data/goldens/models/sd15", before.voice.model);
  const Backgrounds::Made made = backgrounds.make(before, "background", 0, {});
  CHECK(made.note.empty());
  CHECK(!made.cached);
}

TEST_CASE("a drawing wears the brand's own colours, the same for the same card") {
  cards::Brand brand;
  brand.name = "house";
  const auto colour = [&](const char* name, const char* hex) {
    REQUIRE(cards::parse_hex(hex, brand.colours[name]));
  };
  colour("shade", "#0F1B2D");
  colour("ink", "#0F1B2D");
  colour("paper", "#F4E9D8");
  colour("accent", "#FF6B4A");
  colour("water", "#0FA3B1");
  const Recipe recipe = drawn_recipe(brand, "background", 3);
  CHECK(contains(recipe.prompt, "#0F1B2D, #FF6B4A and #0FA3B1"));
  CHECK(recipe.width == 1200);
  CHECK(recipe.height == 624);
  const Image image = draw_background(recipe);
  CHECK(image.pixels == draw_background(recipe).pixels);
  CHECK(image.pixels != draw_background(drawn_recipe(brand, "background", 4)).pixels);
  CHECK(drawn_recipe(brand, "chrome", 3) != recipe);
  CHECK(draw_background(drawn_recipe(brand, "chrome", 3)).pixels != image.pixels);
  brand.voice.prompts["background"] = "marble of teal, light from above, empty left";
  CHECK(drawn_recipe(brand, "background", 3).prompt ==
        "marble veins, #0F1B2D, #0FA3B1 and #FF6B4A, light from above, calm, empty left");
  CHECK(
      contains(shipped_recipe(brand, "background", 3).prompt, ", ink navy, teal and coral, calm"));
  brand.voice.prompts["background"] = "demo brand";  // forms that only a LoRA knows
  CHECK(!contains(drawn_recipe(brand, "background", 3).prompt, "demo"));
  brand.voice.prompts.clear();
  brand.colours.clear();
  colour("only", "#7A40E0");
  const Image plain = draw_background(drawn_recipe(brand, "background", 3));
  CHECK(std::set<std::uint8_t>(plain.pixels.begin(), plain.pixels.end()).size() > 10);
  brand.colours.clear();
  CHECK(drawn_recipe(brand, "background", 3).prompt.find("#25282D") != std::string::npos);
  brand.voice.width = 512;
  brand.voice.height = 768;
  CHECK(drawn_recipe(brand, "background", 0).height == 1200);
  CHECK(shipped_recipe(brand, "background", 0).height == 336);
  CHECK(shipped_recipe(brand, "background", 0).width == 224);
}
