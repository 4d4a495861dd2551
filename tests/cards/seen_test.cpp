// SPDX-License-Identifier: Apache-2.0
// Words in groups that effects change as a whole: what counts is what is seen at the end.
#include <algorithm>
#include <cmath>

#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

struct Words {
  std::string ground = "#101820";
  std::string group;        // keys of the group
  std::string inside = "";  // layers of the group below the words
  std::string colour = "#FFFFFF";
  int size = 60;
  std::string more = "";  // keys of the words
};

std::string template_of(const Words& words) {
  return concat("[canvas]\nwidth = 400\nheight = 160\nbackground = \"", words.ground,
                "\"\n[variables.text]\n[[groups]]\nname = \"plate\"\n", words.group, words.inside,
                "[[layers]]\nkind = \"text\"\nname = \"words\"\ngroup = \"plate\"\n"
                "box = [40, 40, 320, 90]\ncontent = [\"{{text}}\"]\nsize = ",
                words.size, "\ncolour = \"", words.colour, "\"\n", words.more);
}

Composed made(const Words& words) {
  CardInputs inputs;
  inputs.variables = {{"text", "IIIIIIII"}};
  return compose(parse_template(template_of(words), "plate.toml", kRoot), demo(), inputs);
}

Colour at(const Composed& card, int x, int y) {
  const std::uint8_t* p = &card.image.pixels[static_cast<std::size_t>(y) * card.image.stride() +
                                             static_cast<std::size_t>(x) * 3];
  return {p[0], p[1], p[2]};
}

// Contrast of the lightest with the darkest pixel on the row through the words' middle.
double seen_on_card(const Composed& card) {
  const Box box = layer(card, "words").box;
  double least = 1;
  double most = 0;
  for (int x = static_cast<int>(box.x) - 1; x <= static_cast<int>(box.right()); ++x) {
    const double light = luminance(at(card, x, static_cast<int>(box.y + box.height / 2)));
    least = std::min(least, light);
    most = std::max(most, light);
  }
  return contrast(least, most);
}

const std::string kPlate =
    "[[layers]]\nkind = \"solid\"\ngroup = \"plate\"\nbox = [20, 20, 360, 120]\ncolour = ";

}  // namespace

TEST_CASE("a group's opacity counts in the contrast of its words", "[contrast]") {
  const Composed half = made({.group = "opacity = 0.5\n"});
  const double reported = layer(half, "words").contrast;
  CHECK(reported ==
        Approx(contrast(luminance({136, 140, 144}), luminance({16, 24, 32}))).epsilon(0.03));
  CHECK(seen_on_card(half) == Approx(reported).epsilon(0.05));
  CHECK(reported < layer(made({.group = ""}), "words").contrast / 2);
}

TEST_CASE("words that a group's effects make too faint are refused by name", "[contrast]") {
  const Thrown faint = thrown([] { made({.group = "opacity = 0.2\n"}); });
  CHECK(faint.cause == Cause::BadInput);
  CHECK(contains(faint.message, "layer \"words\""));
  CHECK(contains(faint.message, "group \"plate\""));
  CHECK(contains(faint.message, "at least 3"));
  // Their own colour multiplied, screened or tinted away.
  CHECK(contains(thrown([] { made({.group = "blend = \"multiply\"\n"}); }).message, "contrast"));
  CHECK(contains(thrown([] {
                   made(
                       {.ground = "#FFFFFF", .group = "blend = \"screen\"\n", .colour = "#000000"});
                 }).message,
                 "contrast"));
  CHECK(contains(thrown([] { made({.group = "tint = { colour = \"#101820\" }\n"}); }).message,
                 "contrast"));
  CHECK_NOTHROW(
      made({.ground = "#FFFFFF", .group = "blend = \"multiply\"\n", .colour = "#000000"}));
}

TEST_CASE("in a group with effects a pad is laid until the words are read", "[contrast]") {
  // White words on a light plate, a little transparent.
  const Composed padded =
      made({.ground = "#FFFFFF", .group = "opacity = 0.9\n", .inside = kPlate + "\"#E8E8E8\"\n"});
  CHECK(layer(padded, "words").contrast >= 3);
  CHECK(seen_on_card(padded) >= 3);
  CHECK(luminance(at(padded, 370, 130)) > 0.7);  // far from the words nothing changed
  // Half transparent over white: a pad within the group alone could not reach it.
  const Composed both = made({.ground = "#FFFFFF", .group = "opacity = 0.6\n"});
  CHECK(layer(both, "words").contrast >= 3);
  CHECK(seen_on_card(both) >= 3);
}

TEST_CASE("a mask of the group must leave its words whole", "[contrast]") {
  const std::string mask = "mask = { shape = \"rounded\", radius = 12 }\n";
  CHECK(layer(made({.group = "box = [10, 10, 380, 140]\n" + mask}), "words").contrast > 10);
  const Thrown cut = thrown([&] { made({.group = "box = [10, 10, 90, 140]\n" + mask}); });
  CHECK(cut.cause == Cause::BadInput);
  CHECK(contains(cut.message, "contrast of 1 "));
}

TEST_CASE("blurred words count as strong as their strokes are left", "[contrast]") {
  const double sharp = layer(made({.group = ""}), "words").contrast;
  const double soft = layer(made({.group = "blur = 1\n"}), "words").contrast;
  CHECK(soft > 8);
  CHECK(soft <= sharp);
  CHECK(contains(thrown([] { made({.group = "blur = 12\n"}); }).message, "contrast"));
  // The same blur takes more from thinner strokes.
  CHECK(layer(made({.group = "blur = 2\n", .size = 24}), "words").contrast < soft);
}

TEST_CASE("turned words are measured where they end up", "[contrast]") {
  const std::string turned = "box = [0, 0, 400, 160]\nrotate = 12\n";
  const double clear = layer(made({.group = turned}), "words").contrast;
  CHECK(clear > 10);
  // A light bar on the card, below the words as they are set and under them as they are seen.
  const auto with_bar = [&](const std::string& group) {
    CardInputs inputs;
    inputs.variables = {{"text", "IIIIIIIIIIII"}};
    std::string text = template_of({.group = group});
    const Box set =
        layer(compose(parse_template(text, "bare.toml", kRoot), demo(), inputs), "words").box;
    REQUIRE(set.right() > 250);
    text.insert(text.find("[[layers]]"),
                concat("[[layers]]\nkind = \"shape\"\nbox = [", set.right() - 40, ", ",
                       set.bottom() + 4, ", 40, 5]\nfill = \"#FFFFFF\"\n"));
    return compose(parse_template(text, "bar.toml", kRoot), demo(), inputs);
  };
  const double straight = layer(with_bar("opacity = 0.99\n"), "words").contrast;
  CHECK(straight > 10);
  const double over_bar = layer(with_bar(turned), "words").contrast;
  CHECK(over_bar >= 3);
  CHECK(over_bar < straight / 2);
  CHECK(contains(thrown([&] { made({.group = "box = [0, 0, 40, 40]\nrotate = 90\n"}); }).message,
                 "off the card"));
}

TEST_CASE("a scrim in a group with effects serves the words of that group", "[contrast]") {
  const std::string scrim =
      "[[layers]]\nkind = \"scrim\"\nname = \"shade\"\ngroup = \"plate\"\ncolour = \"#000000\"\n"
      "opacity = 0\nmax_opacity = 1\nsolid = 1\nunder = [\"words\"]\n";
  const Composed shaded = made({.ground = "#FFFFFF",
                                .group = "opacity = 0.9\n",
                                .inside = kPlate + "\"#E8E8E8\"\n" + scrim});
  CHECK(layer(shaded, "words").contrast >= 3);
  // It covers all, where a pad would leave the corners.
  CHECK(luminance(at(shaded, 24, 24)) < 0.4);
  std::string stray = template_of({.group = "opacity = 0.9\n", .inside = scrim});
  stray.erase(stray.rfind("group = \"plate\"\n"), std::string("group = \"plate\"\n").size());
  CHECK(contains(thrown([&] { parse_template(stray, "stray.toml", kRoot); }).message,
                 "serves only words of that group"));
}

TEST_CASE("no group with effects holds the credit", "[contrast]") {
  const std::string text =
      "[canvas]\nwidth = 400\nheight = 160\n[[groups]]\nname = \"plate\"\nopacity = 0.9\n"
      "[[layers]]\nkind = \"credit\"\ngroup = \"plate\"\nbox = [10, 10, 300, 40]\nsize = 20\n"
      "colour = \"#FFFFFF\"\n";
  CHECK(contains(thrown([&] { parse_template(text, "credit.toml", kRoot); }).message,
                 "cannot hold the credit"));
}

TEST_CASE("words of a chart count as its own effects leave them", "[contrast]") {
  const auto chart = [](const std::string& effects) {
    const std::string text =
        "[canvas]\nwidth = 400\nheight = 260\nbackground = \"#FFFFFF\"\n"
        "[variables.values]\ntype = \"numbers\"\n[[layers]]\nkind = \"chart\"\nname = \"figures\"\n"
        "box = [20, 20, 360, 220]\nvalues = \"values\"\nsize = 22\ncolour = \"#000000\"\n"
        "bar = \"#3060C0\"\n" +
        effects;
    CardInputs inputs;
    inputs.variables = {{"values", "3, 5, 4"}};
    return compose(parse_template(text, "chart.toml", kRoot), demo(), inputs);
  };
  CHECK_NOTHROW(chart("grain = 2\n"));
  const Thrown hidden = thrown([&] { chart("tint = { colour = \"#FFFFFF\", amount = 0.95 }\n"); });
  CHECK(hidden.cause == Cause::BadInput);
  CHECK(contains(hidden.message, "layer \"figures\""));
}

}  // namespace affiche::cards::test
