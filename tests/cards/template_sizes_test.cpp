// SPDX-License-Identifier: Apache-2.0
// Sizes, boxes, definitions, groups: what a template says beside its layers' kinds.
#include "base/error.h"
#include "cards/fixtures.h"
#include "cards/schema.h"
#include "cards/template.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

const std::string kStart =
    "[canvas]\nwidth = 600\nheight = 400\nsafe = 20\n"
    "[variables.title]\nrequired = true\n"
    "[sizes.tall]\nwidth = 300\nheight = 900\n";

Template parse(const std::string& text) {
  return parse_template(text, "test.toml", kRoot);
}

std::string refusal(const std::string& text) {
  const Thrown error = thrown([&] { parse(text); });
  CHECK(error.cause == Cause::BadInput);
  return error.message;
}

std::string solid(const std::string& keys) {
  return kStart + "[[layers]]\nkind = \"solid\"\ncolour = \"#112233\"\n" + keys;
}

}  // namespace

TEST_CASE("one file gives every size with its own changes", "[template]") {
  const Template card = parse(solid(
      "box = [\"10%\", \"50%\", \"80%\", 40]\n[sizes.tall.layers.solid]\ncolour = \"#FFFFFF\"\n"));
  CHECK(card.sizes() == std::vector<std::string>{"card", "tall"});
  CHECK(card.layers[0].box == Box{60, 200, 480, 40});
  const Template& tall = card.at_size("tall");
  CHECK(tall.width == 300);
  CHECK(tall.layers[0].box == Box{30, 450, 240, 40});
  CHECK(std::get<SolidLayer>(tall.layers[0].content).colour.literal == Colour{255, 255, 255});
  CHECK(std::get<SolidLayer>(card.layers[0].content).colour.literal == Colour{17, 34, 51});
  CHECK(card.at_size("").size == "card");
  CHECK(card.sha256 != tall.sha256);
  CHECK(contains(thrown([&] { card.at_size("tal"); }).message, "'tall'"));
}

TEST_CASE("a size that changes nothing real is refused", "[template]") {
  CHECK(contains(refusal(solid("[sizes.tall.layers.sold]\ncolour = \"#FFFFFF\"\n")), "'solid'"));
  CHECK(contains(refusal(solid("[sizes.tall.layers.solid]\ncolor = \"#FFFFFF\"\n")), "'colour'"));
  CHECK(contains(refusal(solid("[sizes.tall.layers.solid]\nkind = \"photo\"\n")), "by size"));
  CHECK(contains(refusal(solid("[sizes.wide]\nwidth = 900\n")), "sizes.wide.height"));
}

TEST_CASE("what a size never draws needs no box in it", "[template]") {
  const Template card = parse(
      solid("[[layers]]\nkind = \"text\"\ncontent = [\"{{title}}\"]\nbox = [300, 20, 200, 50]\n"
            "when = \"size != 'tall'\"\n"));
  CHECK(card.layers.size() == 2);
  CHECK(card.at_size("tall").layers.size() == 1);
}

TEST_CASE("boxes are measured from their anchor", "[template]") {
  const auto box = [&](const std::string& keys) { return parse(solid(keys)).layers[0].box; };
  CHECK(box("box = [10, 20, 100, 50]\nanchor = \"bottom-right\"\n") == Box{490, 330, 100, 50});
  CHECK(box("box = [0, 0, 100, 50]\nanchor = \"center\"\n") == Box{250, 175, 100, 50});
  CHECK(box("box = [0, 5, 100, 50]\nanchor = \"top\"\n") == Box{250, 5, 100, 50});
  CHECK(box("inset = [10, 20, 30, 40]\n") == Box{40, 10, 540, 360});
  CHECK(box("within = \"safe\"\n") == Box{20, 20, 560, 360});
  CHECK(box("box = [0, 0, \"50%\", \"100%\"]\nwithin = \"safe\"\n") == Box{20, 20, 280, 360});
}

TEST_CASE("wrong boxes name their place", "[template]") {
  CHECK(contains(refusal(solid("box = [0, 0, 10]\n")), "test.toml:13:"));
  CHECK(contains(refusal(solid("box = [0, 0, \"a\", 10]\n")), "percentages"));
  CHECK(contains(refusal(solid("box = [0, 0, nan, 10]\n")), "percentages"));
  CHECK(contains(refusal(solid("box = [700, 0, 10, 10]\n")), "inside the canvas"));
  CHECK(contains(refusal(solid("box = [0, 0, 9, 9]\ninset = 4\n")), "either box or inset"));
  CHECK(contains(refusal(solid("inset = 300\n")), "nothing is left"));
  CHECK(contains(refusal(solid("within = \"sfe\"\n")), "'safe'"));
}

TEST_CASE("words outside the safe zone are refused", "[template]") {
  const std::string text = "[[layers]]\nkind = \"text\"\ncontent = [\"{{title}}\"]\n";
  CHECK(contains(refusal(solid(text + "box = [0, 0, 200, 100]\n")), "safe zone"));
  CHECK_NOTHROW(parse(solid(text + "box = [20, 20, 200, 100]\n")));
}

TEST_CASE("definitions are shared and the layer's own keys win", "[template]") {
  const Template card = parse("[define.bar]\nopacity = 0.5\nbox = [0, 0, 600, 10]\n" +
                              solid("use = [\"bar\"]\nopacity = 0.25\n"));
  CHECK(card.layers[0].opacity == 0.25);
  CHECK(card.layers[0].box == Box{0, 0, 600, 10});
  CHECK(contains(refusal("[define.bar]\nopacity = 0.5\n" + solid("")), "no layer uses it"));
  CHECK(contains(refusal(solid("use = [\"bar\"]\n")), "[define.bar]"));
  CHECK(contains(refusal("[define.bar]\nfont = \"body\"\n" + solid("use = [\"bar\"]\n")),
                 "test.toml:2:"));
}

TEST_CASE("variables are checked by their type", "[template]") {
  const auto with = [](const std::string& variable) {
    return "[variables.x]\n" + variable + "\n" + solid("");
  };
  CHECK(contains(refusal(with("type = \"choice\"")), "choices"));
  CHECK(contains(refusal(with("type = \"number\"\ndefault = \"many\"")), "a number"));
  CHECK(contains(refusal(with("type = \"numbers\"\ndefault = \"1, b\"")), "numbers such as"));
  CHECK(contains(refusal(with("type = \"url\"\ndefault = \"example.org\"")), "https://"));
  CHECK(contains(refusal(with("type = \"flag\"\ndefault = \"maybe\"")), "true or false"));
  CHECK(contains(refusal(with("type = \"choice\"\nchoices = [\"a\"]\ndefault = \"b\"")), "choice"));
  CHECK(contains(refusal("[variables.photo]\n" + solid("")), "no word of conditions"));
  CHECK_NOTHROW(parse(with("type = \"numbers\"\ndefault = \"1, 2.5, -3\"")));
}

TEST_CASE("the schema for editors knows every kind and every key", "[template]") {
  const std::string schema = template_json_schema();
  for (const std::string& kind : layer_kinds()) {
    CHECK(contains(schema, "\"const\": \"" + kind + "\""));
    for (const Key& key : layer_keys(kind).keys) CHECK(contains(schema, "\"" + key.name + "\""));
  }
}

}  // namespace affiche::cards::test
