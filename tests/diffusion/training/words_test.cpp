// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/drawing/words.h"
#include "catch.h"
#include "diffusion/training/drawing/colour.h"

using namespace affiche;
using namespace affiche::diffusion;

TEST_CASE("a prompt made of a caption says again what the caption said", "[drawing]") {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Scene scene = random_scene(seed);
    const std::string text = caption(scene);
    const PromptWords words = read_prompt(text);
    INFO(text);
    REQUIRE(words.family == scene.family);
    REQUIRE(words.light == scene.light);
    REQUIRE(words.mood == scene.mood);
    REQUIRE(words.space == scene.space);
    REQUIRE(words.unknown.empty());
    REQUIRE(words.colours.size() == static_cast<std::size_t>(scene.colour_count));
    for (std::size_t i = 0; i < words.colours.size(); ++i)
      REQUIRE(words.colours[i] == palette()[static_cast<std::size_t>(scene.colours[i])].rrggbb);
  }
}

TEST_CASE("people's own words name families, light and room", "[drawing]") {
  const PromptWords words = read_prompt(
      "A quiet background of Northern Lights over deep teal and #FF6B4A, glow in the center, "
      "empty on the left, zebra zebra");
  CHECK(words.family == Family::Aurora);
  CHECK(words.colours == std::vector<std::uint32_t>{0x0A4F5C, 0xFF6B4A});
  CHECK(words.light == Light::Centre);
  CHECK(words.mood == Mood::Calm);
  CHECK(words.space == Space::EmptyLeft);
  CHECK(words.unknown == std::vector<std::string>{"zebra"});
  CHECK(read_prompt("cut paper").family == Family::PaperLayers);
  CHECK(read_prompt("vignette frame").space == Space::Full);
  CHECK(read_prompt("waves, frame").space == Space::Frame);
  CHECK(!read_prompt("").family);
  CHECK(read_prompt("#12 #GGGGGG \xff\xfe").colours.empty());
}

TEST_CASE("a drawing's caption draws it again", "[drawing]") {
  const Drawing drawing =
      drawing_of("paper layers, #0F1B2D, coral and #0FA3B1, bold, dark centre", 9);
  const std::string text = caption(drawing);
  CHECK(text == "paper layers, #0F1B2D, #FF6B4A and #0FA3B1, bold, dark centre");
  CHECK(draw(drawing, 48, 32).pixels == draw(drawing_of(text, 9), 48, 32).pixels);
  CHECK(draw(drawing, 48, 32).pixels != draw(drawing_of(text, 10), 48, 32).pixels);
  // What is left open follows from the seed.
  CHECK(caption(drawing_of("", 5)) == caption(drawing_of("", 5)));
  CHECK(caption(drawing_of("", 5)) != caption(drawing_of("", 6)));
  CHECK(drawing_of("red", 5).scene.colour_count == 1);
}
