// SPDX-License-Identifier: Apache-2.0
// Effects and drawn kinds, seen on the pixels of small cards.
#include "cards/effects.h"

#include <cmath>

#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

const std::string kCard =
    "[canvas]\nwidth = 200\nheight = 100\nbackground = \"#FFFFFF\"\n"
    "[variables.values]\ntype = \"numbers\"\n[variables.names]\ntype = \"list\"\n"
    "[variables.url]\ntype = \"url\"\n";

Composed made(const std::string& layers, std::map<std::string, std::string> values = {}) {
  CardInputs inputs;
  inputs.variables = std::move(values);
  return compose(parse_template(kCard + layers, "effects.toml", kRoot), demo(), inputs);
}

Colour at(const Composed& card, int x, int y) {
  const std::uint8_t* p = card.image.pixels.data() +
                          static_cast<std::size_t>(y) * card.image.stride() +
                          static_cast<std::size_t>(x) * 3;
  return {p[0], p[1], p[2]};
}

bool near(const Colour& a, const Colour& b, int tolerance = 3) {
  return std::abs(a.red - b.red) <= tolerance && std::abs(a.green - b.green) <= tolerance &&
         std::abs(a.blue - b.blue) <= tolerance;
}

const std::string kRed =
    "[[layers]]\nkind = \"shape\"\nbox = [50, 20, 100, 60]\nfill = \"#FF0000\"\n";

}  // namespace

TEST_CASE("a shape fills its box and nothing else", "[effects]") {
  const Composed card = made(kRed);
  CHECK(at(card, 100, 50) == Colour{255, 0, 0});
  CHECK(at(card, 40, 50) == Colour{255, 255, 255});
  CHECK(at(made(kRed + "shape = \"circle\"\n"), 52, 50) == Colour{255, 255, 255});
  CHECK(at(made(kRed + "shape = \"circle\"\n"), 100, 50) == Colour{255, 0, 0});
  CHECK(at(made(kRed + "radius = 20\n"), 51, 21) == Colour{255, 255, 255});
  CHECK(at(made(kRed + "shape = \"path\"\npath = \"M0 0L1 1L0 1Z\"\nview = [1, 1]\n"), 140, 25) ==
        Colour{255, 255, 255});
}

TEST_CASE("blend modes follow their formulas", "[effects]") {
  const auto colour = [&](const std::string& blend) {
    const std::string shape =
        "[[layers]]\nkind = \"shape\"\nbox = [50, 20, 100, 60]\nfill = \"#4080C0\"\n";
    return at(made("[[layers]]\nkind = \"solid\"\ncolour = \"#804020\"\n" + shape + "blend = \"" +
                   blend + "\"\n"),
              100, 50);
  };
  CHECK(near(colour("multiply"), {32, 32, 24}));
  CHECK(near(colour("screen"), {160, 160, 200}));
  CHECK(near(colour("darken"), {64, 64, 32}));
  CHECK(near(colour("lighten"), {128, 128, 192}));
  CHECK(near(colour("difference"), {64, 64, 160}));
  CHECK(near(colour("overlay"), {65, 64, 48}, 4));
  CHECK(near(colour("exclusion"), {128, 128, 176}));
  // The colour of one with the lightness of the other.
  const Colour luminous = colour("luminosity");
  CHECK(luminous.red > luminous.green);
  const Colour coloured = colour("color");
  CHECK(coloured.blue > coloured.red);
}

TEST_CASE("opacity and blend keep what lies outside", "[effects]") {
  const Composed card = made(kRed + "opacity = 0.5\nblend = \"multiply\"\n");
  CHECK(near(at(card, 100, 50), {255, 128, 128}));
  CHECK(at(card, 10, 10) == Colour{255, 255, 255});
}

TEST_CASE("blur spreads a layer and keeps its weight", "[effects]") {
  const Composed card = made(kRed + "blur = 6\n");
  const Colour edge = at(card, 50, 50);
  CHECK(edge.green > 90);
  CHECK(edge.green < 165);
  CHECK(at(card, 42, 50).green < 250);
  CHECK(near(at(card, 100, 50), {255, 0, 0}, 6));
}

TEST_CASE("a shadow falls beside and below the layer", "[effects]") {
  const Composed card = made(kRed + "shadow = { x = 0, y = 14, blur = 4, colour = \"#000000\" }\n");
  CHECK(at(card, 100, 88).red < 60);
  CHECK(at(card, 100, 50) == Colour{255, 0, 0});
  CHECK(at(card, 100, 10).red > 240);
}

TEST_CASE("tint, duotone and grain change colours only", "[effects]") {
  CHECK(near(at(made(kRed + "tint = { colour = \"#0000FF\", amount = 0.5 }\n"), 100, 50),
             {128, 0, 128}));
  CHECK(near(at(made(kRed + "duotone = { dark = \"#000080\", light = \"#FFFFFF\" }\n"), 100, 50),
             {54, 54, 155}, 5));
  const Composed grainy = made(kRed + "grain = 12\ntint = { colour = \"#808080\" }\n");
  bool differs = false;
  for (int x = 60; x < 140; ++x) differs = differs || !(at(grainy, x, 50) == at(grainy, x + 1, 50));
  CHECK(differs);
  CHECK(at(grainy, 10, 10) == Colour{255, 255, 255});
}

TEST_CASE("masks hide, radius rounds and a border stays inside", "[effects]") {
  CHECK(at(made(kRed + "mask = { shape = \"ellipse\" }\n"), 53, 23) == Colour{255, 255, 255});
  CHECK(at(made(kRed + "mask = { shape = \"ellipse\", invert = true }\n"), 53, 23) ==
        Colour{255, 0, 0});
  const Composed faded = made(kRed + "mask = { shape = \"gradient\", angle = 90 }\n");
  CHECK(at(faded, 55, 50).green < 40);
  CHECK(at(faded, 145, 50).green > 215);
  const Composed framed = made(kRed + "border = { width = 6, colour = \"#0000FF\" }\n");
  CHECK(near(at(framed, 53, 50), {0, 0, 255}));
  CHECK(near(at(framed, 48, 50), {255, 255, 255}));
  CHECK(near(at(framed, 60, 50), {255, 0, 0}));
}

TEST_CASE("rotation turns about the middle of the box", "[effects]") {
  const Composed card = made(kRed + "rotate = 90\n");
  CHECK(at(card, 100, 3) == Colour{255, 0, 0});
  CHECK(at(card, 60, 50) == Colour{255, 255, 255});
}

TEST_CASE("gradients run as they are told", "[effects]") {
  const auto gradient = [](const std::string& keys) {
    return made("[[layers]]\nkind = \"gradient\"\n" + keys);
  };
  const std::string stops =
      "stops = [{ at = 0, colour = \"#000000\" }, { at = 1, colour = \"#FFFFFF\" }]\n";
  CHECK(at(gradient(stops), 2, 50).red < 8);
  CHECK(at(gradient(stops), 197, 50).red > 247);
  CHECK(at(gradient("shape = \"radial\"\n" + stops), 100, 50).red < 8);
  CHECK(at(gradient("shape = \"radial\"\n" + stops), 1, 1).red > 240);
  CHECK(near(at(gradient("shape = \"conic\"\nangle = 0\n" + stops), 150, 50), {64, 64, 64}, 6));
  const Composed mesh = gradient(
      "shape = \"mesh\"\npoints = [{ at = [0, 0], colour = \"#FF0000\" }, "
      "{ at = [1, 1], colour = \"#0000FF\" }]\n");
  CHECK(at(mesh, 2, 2).red > 230);
  CHECK(at(mesh, 197, 97).blue > 230);
}

TEST_CASE("a group is laid down as one", "[effects]") {
  const Composed card = made(
      "[[groups]]\nname = \"pair\"\nopacity = 0.5\n"
      "[[layers]]\nname = \"a\"\nkind = \"solid\"\ngroup = \"pair\"\nbox = [0, 0, 100, 100]\n"
      "colour = \"#FF0000\"\n"
      "[[layers]]\nname = \"b\"\nkind = \"solid\"\ngroup = \"pair\"\nbox = [50, 0, 100, 100]\n"
      "colour = \"#0000FF\"\n");
  // The red below the blue does not show through.
  CHECK(near(at(card, 75, 50), {128, 128, 255}));
  CHECK(near(at(card, 25, 50), {255, 128, 128}));
}

TEST_CASE("words take no effect that would hide them", "[effects]") {
  const std::string text =
      "[[layers]]\nkind = \"text\"\nbox = [0, 0, 200, 100]\ncontent = [\"A\"]\ncolour = "
      "\"#000000\"\n";
  CHECK(contains(thrown([&] { made(text + "blur = 2\n"); }).message, "decorative"));
  CHECK(contains(thrown([&] { made(text + "blend = \"screen\"\n"); }).message, "decorative"));
  CHECK_NOTHROW(made(text + "decorative = true\nblur = 2\nrotate = 10\n"));
  CHECK_NOTHROW(made(text + "shadow = { blur = 4 }\n"));
}

TEST_CASE("what effects do to a photo is said in its credit", "[effects]") {
  const std::string layers =
      "[[layers]]\nkind = \"photo\"\nbox = [0, 0, 200, 60]\nblur = 2\n"
      "duotone = { dark = \"#000000\", light = \"#FFFFFF\" }\n"
      "[[layers]]\nkind = \"credit\"\nbox = [0, 60, 200, 40]\nsize = 8\nlines = 4\n"
      "colour = \"#000000\"\n";
  CardInputs inputs;
  inputs.photo = photo();
  const Composed card =
      compose(parse_template(kCard + layers, "photo.toml", kRoot), demo(), inputs);
  REQUIRE(card.credit.has_value());
  CHECK(card.credit->changes == std::vector<std::string>{"cropped", "colours changed", "blurred"});
}

TEST_CASE("without its photo a frame is not drawn either", "[effects]") {
  const std::string text =
      "photo_missing = \"variant\"\n" + kCard +
      "[[layers]]\nkind = \"photo\"\nbox = [50, 20, 100, 60]\n"
      "border = { width = 6, colour = \"#0000FF\" }\n"
      "[[layers]]\nkind = \"credit\"\nwhen = \"photo\"\nbox = [0, 80, 200, 20]\n";
  const Composed card = compose(parse_template(text, "frame.toml", kRoot), demo(), CardInputs{});
  CHECK(at(card, 53, 50) == Colour{255, 255, 255});
}

TEST_CASE("a QR code has its modules and its quiet zone", "[effects]") {
  const std::string code =
      "[[layers]]\nkind = \"qr\"\nbox = [50, 0, 100, 100]\ncontent = \"{{url}}\"\nlevel = "
      "\"low\"\n";
  const Composed card = made(code, {{"url", "https://example.org"}});
  // Version 2: 25 modules and 8 of margin at 3 pixels; the finder's corner is dark.
  CHECK(at(card, 52, 50) == Colour{255, 255, 255});
  CHECK(at(card, 50 + 14, 14) == Colour{0, 0, 0});
  CHECK(made(code).layers.size() == 0);  // without an address there is no code
  CHECK(contains(thrown([&] {
                   made(code, {{"url", "https://example.org/" + std::string(250, 'a')}});
                 }).message,
                 "the box has"));
  CHECK(contains(thrown([&] {
                   made(code + "dark = \"#888888\"\n", {{"url", "https://example.org"}});
                 }).message,
                 "contrast"));
}

TEST_CASE("a chart draws its values to scale", "[effects]") {
  const std::string chart =
      "[[layers]]\nkind = \"chart\"\nvalues = \"values\"\nlabels = \"names\"\nsize = 8\n"
      "colour = \"#000000\"\nbar = \"#0000FF\"\nbar_radius = 0\nspacing = 0.5\n";
  const Composed card = made(chart, {{"values", "10, 5"}, {"names", "A | B"}});
  const auto height = [&](int x) {
    int count = 0;
    for (int y = 0; y < 100; ++y) count += near(at(card, x, y), {0, 0, 255}) ? 1 : 0;
    return count;
  };
  CHECK(height(50) > 40);
  CHECK(height(150) == Approx(height(50) / 2.0).margin(1));
  CHECK(contains(thrown([&] {
                   made(chart, {{"values", "1, 2"}, {"names", "A"}});
                 }).message,
                 "a label for each"));
  CHECK_NOTHROW(made(chart + "shape = \"bars\"\n", {{"values", "3, 1"}, {"names", "A | B"}}));
  CHECK_NOTHROW(made(chart + "shape = \"line\"\n", {{"values", "3, 1, 2"}, {"names", "A|B|C"}}));
  CHECK(made(chart).layers.empty());
}

}  // namespace affiche::cards::test
