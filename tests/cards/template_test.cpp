// SPDX-License-Identifier: Apache-2.0
#include "cards/template.h"

#include "base/error.h"
#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

const std::string kCanvas = "[canvas]\nwidth = 600\nheight = 400\n";

Template parse(const std::string& text) {
  return parse_template(text, "test.toml", kRoot);
}

std::string refusal(const std::string& text) {
  const Thrown error = thrown([&] { parse(text); });
  CHECK(error.cause == Cause::BadInput);
  return error.message;
}

}  // namespace

TEST_CASE("a template with a photo layer and no credit layer does not load", "[template]") {
  const std::string photo = kCanvas + "[[layers]]\nkind = \"photo\"\n";
  REQUIRE(contains(refusal(photo), "credit"));
  REQUIRE_NOTHROW(parse(photo + "[[layers]]\nkind = \"credit\"\n"));
}

TEST_CASE("a credit layer that can be hidden does not count", "[template]") {
  const std::string start = kCanvas + "[variables.x]\n[[layers]]\nkind = \"photo\"\n";
  REQUIRE(contains(refusal(start + "[[layers]]\nkind = \"credit\"\nopacity = 0.1\n"), "opacity 1"));
  REQUIRE(
      contains(refusal(start + "[[layers]]\nkind = \"credit\"\nwhen = \"set:x\"\n"), "condition"));
  REQUIRE(contains(refusal(start + "[[layers]]\nkind = \"credit\"\nwhen = \"no_photo\"\n"),
                   "condition"));
}

TEST_CASE("an unknown key is refused with its place and the nearest key", "[template]") {
  const std::string message =
      refusal(kCanvas + "[[layers]]\nkind = \"solid\"\ncolor = \"#FFFFFF\"\n");
  REQUIRE(contains(message, "test.toml:6:"));
  REQUIRE(contains(message, "colour"));
}

TEST_CASE("wrong values name their place", "[template]") {
  CHECK(contains(refusal("[canvas]\nwidth = 60000\nheight = 400\n"), "test.toml:2:"));
  CHECK(contains(refusal(kCanvas + "[[layers]]\nkind = \"solid\"\ncolour = \"#000000\"\n"
                                   "box = [900, 0, 100, 10]\n"),
                 "inside the canvas"));
  CHECK(contains(refusal(kCanvas + "[[layers]]\nkind = \"fotograph\"\n"), "photo"));
  CHECK(contains(refusal(kCanvas + "[[layers]]\nkind = \"text\"\nbox = [0, 0, 9, 9]\n"
                                   "content = [\"{{headlin}}\"]\n[variables.headline]\n"),
                 "headline"));
}

TEST_CASE("the shipped template asks for background and chrome in both variants", "[template]") {
  const Template card = article();
  const std::vector<std::string> both = {"background", "chrome"};
  CHECK(card.has_photo());
  CHECK(card.generated_names(true) == both);
  CHECK(card.generated_names(false) == both);
  CHECK(card.sha256.size() == 64);
  CHECK(card.sha256 == article().sha256);
}

}  // namespace affiche::cards::test
