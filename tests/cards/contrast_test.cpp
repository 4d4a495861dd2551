// SPDX-License-Identifier: Apache-2.0
// Contrast counts on the pixels that glyphs are seen against, in the colour of each.
#include <algorithm>

#include "cards/fixtures.h"
#include "cards/glyph_runs.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

// Dark, with white bars of 8 pixels at `places`, under two letters that stand far apart.
Composed over_bars(const std::vector<int>& places) {
  std::string text =
      "[canvas]\nwidth = 600\nheight = 200\nbackground = \"#101820\"\n[variables.words]\n";
  for (const int x : places) {
    text += concat("[[layers]]\nkind = \"shape\"\nname = \"bar", x, "\"\nbox = [", x,
                   ", 0, 8, 200]\nfill = \"#FFFFFF\"\n");
  }
  text +=
      "[[layers]]\nkind = \"text\"\nname = \"words\"\nbox = [40, 40, 520, 120]\n"
      "content = [\"{{words}}\"]\nsize = 60\nletter_spacing = 1\ncolour = \"#FFFFFF\"\n";
  CardInputs inputs;
  inputs.variables = {{"words", "II"}};
  return compose(parse_template(text, "bars.toml", kRoot), demo(), inputs);
}

Composed marked(const std::string& accent, const std::string& below, const std::string& scrim) {
  const std::string text =
      "[canvas]\nwidth = 600\nheight = 200\nbackground = \"" + below + "\"\n[variables.words]\n" +
      scrim +
      "[[layers]]\nkind = \"text\"\nname = \"words\"\nbox = [40, 40, 520, 120]\n"
      "content = [\"{{words}}\"]\nsize = 28\nrich = true\ncolour = \"#FFFFFF\"\naccent = \"" +
      accent + "\"\n";
  CardInputs inputs;
  inputs.variables = {{"words", "Plain and <mark>marked</mark> words"}};
  return compose(parse_template(text, "marked.toml", kRoot), demo(), inputs);
}

int pixels(const std::vector<Run>& runs) {
  int sum = 0;
  for (const Run& run : runs) sum += run.to - run.from;
  return sum;
}

}  // namespace

TEST_CASE("what lies between the glyphs does not count", "[contrast]") {
  const LayerReport clear = layer(over_bars({}), "words");
  REQUIRE(clear.box.width > 70);
  const int between = static_cast<int>(clear.box.x + clear.box.width / 2) - 4;
  CHECK(layer(over_bars({between}), "words").contrast == Approx(clear.contrast));
  // Under the glyph itself a pad is laid, which is darker than white.
  const Composed under = over_bars({static_cast<int>(clear.box.x)});
  CHECK(layer(under, "words").contrast >= 3);
  CHECK(layer(under, "words").contrast < clear.contrast);
}

TEST_CASE("the pad of a text does not lie over the letters of the one above", "[contrast]") {
  const std::string text =
      "[canvas]\nwidth = 600\nheight = 200\nbackground = \"#808080\"\n"
      "[[layers]]\nkind = \"text\"\nname = \"name\"\nbox = [40, 40, 520, 40]\nsize = 40\n"
      "content = [\"HHHH\"]\ncolour = \"#000000\"\n"
      "[[layers]]\nkind = \"text\"\nname = \"role\"\nbox = [40, 82, 520, 24]\nsize = 24\n"
      "content = [\"HHHHHH\"]\ncolour = \"#404040\"\n";
  const Composed made = compose(parse_template(text, "near.toml", kRoot), demo(), {});
  CHECK(layer(made, "role").contrast >= 3);
  const Box name = layer(made, "name").box;
  const int foot = static_cast<int>(name.bottom()) - 2;
  int darkest = 255;
  for (int x = static_cast<int>(name.x); x < name.right(); ++x) {
    darkest = std::min<int>(
        darkest, made.image.pixels[static_cast<std::size_t>(foot) * made.image.stride() + x * 3UL]);
  }
  CHECK(darkest < 40);
}

TEST_CASE("a marked word's colour must be read too", "[contrast]") {
  CHECK(layer(marked("#FFB000", "#101820", ""), "words").contrast > 4.5);
  // Where the plain words are at their best, this one is not.
  const double dull = layer(marked("#8A8F98", "#101820", ""), "words").contrast;
  CHECK(dull < layer(marked("#FFFFFF", "#101820", ""), "words").contrast / 2);
  const Thrown error = thrown([] { marked("#20242C", "#101820", ""); });
  CHECK(error.cause == Cause::BadInput);
  CHECK(contains(error.message, "accent"));
  // The scrim is raised for it.
  const std::string scrim =
      "[[layers]]\nkind = \"scrim\"\nname = \"shade\"\ncolour = \"#000000\"\nopacity = 0\n"
      "max_opacity = 0.95\nsolid = 1\nunder = [\"words\"]\n";
  CHECK(layer(marked("#D08020", "#556070", scrim), "words").contrast >= 3);
}

TEST_CASE("the pixels of the glyphs are a part of their box, in both colours", "[contrast]") {
  TextRequest request;
  request.text = "Plain <mark>marked</mark> words";
  request.style.rich = true;
  request.style.max_size = request.style.min_size = 40;
  request.font = demo().font("body");
  request.width = 600;
  request.what = "test";
  request.accent = Colour{255, 176, 0};
  const FittedText text = fit_text(request);
  const auto inked = inked_pixels(text, 20.3, 30.7, {255, 255, 255}, 700, 200);
  REQUIRE(inked->size() == 2);
  CHECK((*inked)[1].colour == Colour{255, 176, 0});
  const Box ink = text.ink();
  const int whole = static_cast<int>((ink.width + 6) * (ink.height + 6));
  const int both = pixels((*inked)[0].runs) + pixels((*inked)[1].runs);
  CHECK(both < whole * 0.85);
  CHECK(both > whole * 0.3);
  const auto spread = [](const std::vector<Run>& runs) {
    int from = 1000;
    int to = 0;
    for (const Run& run : runs) {
      from = std::min(from, run.from);
      to = std::max(to, run.to);
    }
    return std::pair{from, to};
  };
  const auto plain = spread((*inked)[0].runs);
  const auto accent = spread((*inked)[1].runs);
  CHECK(plain.first >= static_cast<int>(20.3 + ink.x) - 3);
  CHECK(plain.second <= static_cast<int>(20.3 + ink.right()) + 4);
  CHECK(accent.first > plain.first + 60);    // behind "Plain"
  CHECK(accent.second < plain.second - 60);  // before "words"
  // Off the canvas there is nothing to measure.
  CHECK(inked_pixels(text, 20, -500, {255, 255, 255}, 700, 200)->front().runs.empty());
  CHECK(inked_pixels(text, 690, 30, {255, 255, 255}, 700, 200)->front().runs.back().to <= 700);
}

TEST_CASE("a pad leaves what lies away from it as it was", "[contrast]") {
  const auto corner = [](const std::string& colour) {
    const Template card = parse_template(
        "[canvas]\nwidth = 600\nheight = 400\nbackground = \"#F7F5EF\"\n"
        "[[layers]]\nkind = \"solid\"\ncolour = \"#9DC3B099\"\n"
        "[[layers]]\nname = \"words\"\nkind = \"text\"\nbox = [50, 50, 300, 60]\n"
        "content = [\"Words\"]\nfont = \"body\"\nsize = 16\ncolour = \"" +
            colour + "\"\n",
        "pad.toml", kRoot);
    const Image image = compose(card, demo(), {}).image;
    const std::uint8_t* pixel = image.pixels.data() + 10 * image.stride() + std::size_t{590} * 3;
    return std::vector<int>{pixel[0], pixel[1], pixel[2]};
  };
  const std::vector<int> plain = corner("#000000");
  CHECK(plain == std::vector<int>{193, 215, 202});
  const std::vector<int> padded = corner("#5A6B60");
  for (std::size_t c = 0; c < 3; ++c) CHECK(std::abs(padded[c] - plain[c]) <= 1);
}

}  // namespace affiche::cards::test
