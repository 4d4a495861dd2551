// SPDX-License-Identifier: Apache-2.0
// Stacks, rows, layers around others, and cards from right to left, on their reported boxes.
#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

const std::string kCard =
    "mirror = true\n[canvas]\nwidth = 600\nheight = 400\nbackground = \"#FFFFFF\"\n"
    "[variables.title]\nrequired = true\n[variables.deck]\n"
    "[[stacks]]\nname = \"words\"\nbox = [40, 40, 300, 320]\nalign = \"start\"\nspacing = 20\n";

const std::string kWords =
    "[[layers]]\nname = \"title\"\nkind = \"text\"\nstack = \"words\"\ncontent = [\"{{title}}\"]\n"
    "colour = \"#000000\"\nsize = 40\nlines = 4\n"
    "[[layers]]\nname = \"deck\"\nkind = \"text\"\nstack = \"words\"\ncontent = [\"{{deck}}\"]\n"
    "colour = \"#000000\"\nsize = 20\nlines = 4\n";

Composed made(const std::string& text, const std::string& title, const std::string& deck = "",
              const std::string& language = "") {
  CardInputs inputs;
  inputs.variables = {{"title", title}, {"deck", deck}};
  inputs.language = language;
  return compose(parse_template(text, "stack.toml", kRoot), demo(), inputs);
}

}  // namespace

TEST_CASE("a title of two lines pushes the deck down by a line", "[stack]") {
  const Composed one = made(kCard + kWords, "Short", "The deck");
  const Composed two = made(kCard + kWords, "Rather longer than one line", "The deck");
  REQUIRE(layer(one, "title").lines == 1);
  REQUIRE(layer(two, "title").lines == 2);
  CHECK(layer(two, "deck").box.y - layer(one, "deck").box.y == Approx(48).margin(1));
}

TEST_CASE("an empty text takes neither room nor gap", "[stack]") {
  const std::string centred = kCard + kWords +
                              "[[layers]]\nname = \"rule\"\nkind = \"solid\"\n"
                              "stack = \"words\"\nextent = [\"50%\", 4]\ncolour = \"#FF0000\"\n";
  const Composed with = made(centred, "Title", "The deck");
  const Composed without = made(centred, "Title");
  const double title_foot = layer(without, "title").box.bottom();
  CHECK(layer(without, "rule").box.y - title_foot == Approx(20).margin(2));
  CHECK(layer(without, "rule").box.width == 150);
  CHECK(layer(with, "rule").box.y > layer(without, "rule").box.y);
}

TEST_CASE("layers of a row stand beside one another, centred across", "[stack]") {
  const std::string row =
      kCard +
      "[[stacks]]\nname = \"row\"\nstack = \"words\"\ndirection = \"row\"\n"
      "cross = \"center\"\nspacing = 10\n" +
      kWords +
      "[[layers]]\nname = \"dot\"\nkind = \"solid\"\nstack = \"row\"\nextent = [30, 30]\n"
      "colour = \"#FF0000\"\n[[layers]]\nname = \"by\"\nkind = \"text\"\nstack = \"row\"\n"
      "content = [\"by {{deck}}\"]\nsize = 20\ncolour = \"#000000\"\n";
  const Composed card = made(row, "Title", "Ana");
  const Box dot = layer(card, "dot").box;
  const Box by = layer(card, "by").box;
  CHECK(dot.x == Approx(40));
  CHECK(by.x == Approx(80).margin(1));
  CHECK(by.y > dot.y);
  CHECK(by.bottom() < dot.bottom() + 1);
}

TEST_CASE("a layer around a text follows it", "[stack]") {
  const std::string pill = kCard +
                           "[[layers]]\nname = \"pill\"\nkind = \"solid\"\n"
                           "around = \"deck\"\npadding = [10, 20, 10, 20]\ncolour = \"#EEEEEE\"\n" +
                           kWords;
  const Composed card = made(pill, "Title", "A deck");
  const Box box = layer(card, "pill").box;
  const Box ink = layer(card, "deck").box;
  CHECK(box.x == Approx(ink.x - 20).margin(1));
  CHECK(box.right() == Approx(ink.right() + 20).margin(1));
  for (const LayerReport& report : made(pill, "Title").layers) CHECK(report.name != "pill");
}

TEST_CASE("a card from right to left is the mirror of its template", "[stack]") {
  const std::string text = kCard +
                           "[[layers]]\nkind = \"solid\"\nbox = [0, 0, 20, 400]\n"
                           "colour = \"#FF0000\"\n[[layers]]\nname = \"fixed\"\nkind = \"solid\"\n"
                           "box = [0, 390, 10, 10]\nmirror = false\ncolour = \"#FF0000\"\n" +
                           kWords;
  const Composed latin = made(text, "Title", "A deck");
  const Composed hebrew = made(text, "כותרת", "A deck");
  CHECK(layer(latin, "solid").box.x == 0);
  CHECK(layer(hebrew, "solid").box.x == 580);
  CHECK(layer(hebrew, "fixed").box.x == 0);
  CHECK(layer(latin, "title").box.x == Approx(40).margin(1));
  CHECK(layer(hebrew, "title").box.right() == Approx(560).margin(1));
  // A Latin line in it keeps to the card's side.
  CHECK(layer(hebrew, "deck").box.right() == Approx(560).margin(1));
  CHECK(layer(made(text, "Title", "", "ar"), "title").box.right() == Approx(560).margin(1));
}

TEST_CASE("layers that cannot fit in a stack are an error with the sizes", "[stack]") {
  const Thrown error = thrown([] {
    made(kCard + kWords +
             "[[layers]]\nname = \"tall\"\nkind = \"solid\"\nstack = \"words\"\n"
             "extent = [10, 300]\ncolour = \"#FF0000\"\n",
         "A title", "A deck");
  });
  CHECK(error.cause == Cause::BadInput);
  CHECK(contains(error.message, "the box has 300x320"));
}

}  // namespace affiche::cards::test
