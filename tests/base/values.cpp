// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "imaging/credit.h"
#include "imaging/photo.h"
#include "imaging/recipe.h"
#include "throws.h"

using namespace affiche;
using test::contains;
using test::thrown;

namespace {

Credit complete() {
  Credit credit;
  credit.title = "Dune";
  credit.author = "Marco Cogoni";
  credit.source = "MATE Backgrounds";
  credit.source_url = "https://example.org/dune";
  credit.license = "CC-BY-4.0";
  credit.license_url = "https://creativecommons.org/licenses/by/4.0/";
  return credit;
}

}  // namespace

TEST_CASE("licences have a label for people", "[credit]") {
  REQUIRE(license_label("CC-BY-4.0") == "CC BY 4.0");
  REQUIRE(license_label("CC-BY-SA-3.0") == "CC BY-SA 3.0");
  REQUIRE(license_label("CC0-1.0") == "CC0 1.0");
  REQUIRE(license_label("PDM-1.0") == "Public Domain");
  REQUIRE(license_label("GPL-2.0-or-later") == "GPL-2.0-or-later");
}

TEST_CASE("the credit line names author, source, licence and changes", "[credit]") {
  Credit credit = complete();
  REQUIRE(credit_line(credit) == "Photo: Marco Cogoni / MATE Backgrounds · CC BY 4.0");
  credit.changes = {"cropped", "text added"};
  credit.source = credit.author;
  REQUIRE(credit_line(credit) == "Photo: Marco Cogoni · CC BY 4.0 · cropped, text added");
}

TEST_CASE("no photo without a complete credit", "[credit]") {
  REQUIRE(Photo(Bytes{1}, complete()).credit() == complete());
  for (std::string Credit::*field :
       {&Credit::title, &Credit::author, &Credit::license, &Credit::license_url}) {
    Credit credit = complete();
    (credit.*field).clear();
    REQUIRE(contains(thrown([&] { Photo(Bytes{1}, credit); }), "refused: "));
  }
  REQUIRE(contains(thrown([] { Photo(Bytes{}, complete()); }), "bad_input: "));
}

TEST_CASE("a change is noted without losing the picture or the credit", "[credit]") {
  const Photo photo(Bytes{1, 2, 3}, complete());
  const Photo cropped = photo.with_change("cropped");
  REQUIRE(cropped.encoded() == photo.encoded());
  REQUIRE(cropped.credit().changes == std::vector<std::string>{"cropped"});
  REQUIRE(photo.credit().changes.empty());
}

TEST_CASE("a credit survives its JSON, unknown keys do not", "[credit]") {
  Credit credit = complete();
  credit.author = "\"Zoë\" <b>&amp;\\ 写真";
  credit.changes = {"cropped"};
  REQUIRE(credit_from_json(to_json(credit), "credit") == credit);
  REQUIRE(contains(thrown([] { credit_from_json(R"({"licence": "CC0-1.0"})", "c.json"); }),
                   "c.json: unknown key \"licence\" (did you mean 'license'?)"));
}

TEST_CASE("a recipe survives its JSON, and equal recipes give equal bytes", "[recipe]") {
  Recipe recipe;
  recipe.model = "affiche-mini";
  recipe.model_sha256 = std::string(64, 'a');
  recipe.loras = {{"demo-brand.safetensors", std::string(64, 'b'), 0.9}, {"x", "y", -1.0 / 3.0}};
  recipe.prompt = "soft waves, \"deep\" navy\nteal é";
  recipe.seed = -9007199254740993;
  recipe.scheduler = "DPMSolverMultistepScheduler";
  recipe.steps = 20;
  recipe.guidance_scale = 0.1 + 0.2;
  recipe.width = 608;
  recipe.height = 320;
  recipe.palette = {"#0F1B2D", "#FF6B4A"};
  recipe.build = "0.1.0";
  const Recipe back = recipe_from_json(to_json(recipe), "recipe");
  REQUIRE(back == recipe);
  REQUIRE(to_json(back) == to_json(recipe));
  std::string older = to_json(recipe);
  const std::string palette = "\"palette\":[\"#0F1B2D\",\"#FF6B4A\"],";
  older.erase(older.find(palette), palette.size());
  REQUIRE(recipe_from_json(older, "recipe").palette.empty());
}
