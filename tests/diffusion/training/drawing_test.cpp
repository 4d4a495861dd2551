// SPDX-License-Identifier: Apache-2.0
#include <set>

#include "catch.h"
#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/scene.h"

using namespace affiche;
using namespace affiche::diffusion;

TEST_CASE("a seed draws the same picture again, another seed another one", "[drawing]") {
  for (std::size_t i = 0; i < family_names().size(); ++i) {
    const auto family = static_cast<Family>(i);
    const Image once = draw(random_scene(7, family), 96, 64);
    REQUIRE(once.pixels == draw(random_scene(7, family), 96, 64).pixels);
    REQUIRE(once.pixels != draw(random_scene(8, family), 96, 64).pixels);
  }
}

TEST_CASE("a window holds the pixels of the whole picture", "[drawing]") {
  const Scene scene = random_scene(21);
  const Image whole = draw(scene, 80, 64), part = draw(scene, 80, 64, {16, 8, 24, 40});
  for (int y = 0; y < 40; ++y)
    for (int x = 0; x < 24 * 3; ++x)
      REQUIRE(part.pixels[static_cast<std::size_t>(y * 72 + x)] ==
              whole.pixels[static_cast<std::size_t>((y + 8) * 240 + 48 + x)]);
  REQUIRE_THROWS(draw(scene, 80, 64, {60, 0, 24, 40}));
}

TEST_CASE("a caption names the family and the colours that were used", "[drawing]") {
  for (std::uint64_t seed = 0; seed < 50; ++seed) {
    const Scene scene = random_scene(seed);
    const std::string text = caption(scene);
    REQUIRE(text.starts_with(family_names()[static_cast<std::size_t>(scene.family)]));
    for (std::size_t i = 0; i < static_cast<std::size_t>(scene.colour_count); ++i)
      REQUIRE(text.find(palette()[static_cast<std::size_t>(scene.colours[i])].name) !=
              std::string::npos);
    REQUIRE(caption(scene, 3) == caption(scene, 3));
  }
  REQUIRE(palette().size() >= 24);
}

TEST_CASE("the first colour named is the ground of the picture", "[drawing]") {
  Scene scene = random_scene(5, Family::BokehLights);
  scene.light = Light::None;
  scene.space = Space::EmptyLeft;
  const Image picture = draw(scene, 64, 64);
  std::uint8_t ground[3];
  put_srgb(lab_of_srgb(palette()[static_cast<std::size_t>(scene.colours[0])].rrggbb), ground);
  for (std::size_t c = 0; c < 3;
       ++c)  // the middle of the empty side; places vary the shade a little
    REQUIRE(std::abs(int{picture.pixels[(32 * 64 + 2) * 3 + c]} - int{ground[c]}) < 26);
}

TEST_CASE("a scene in other colours keeps its forms and takes the colours exactly", "[drawing]") {
  Scene scene = random_scene(5, Family::BokehLights);
  scene.light = Light::None;
  scene.space = Space::EmptyLeft;
  const Image picture = draw(scene, {0x0F1B2D, 0xFF6B4A, 0x0FA3B1}, 64, 64);
  const std::size_t empty = (32 * 64 + 2) * 3;  // in the middle of the empty side
  REQUIRE(std::abs(int{picture.pixels[empty]} - 0x0F) <= 1);
  REQUIRE(std::abs(int{picture.pixels[empty + 1]} - 0x1B) <= 1);
  REQUIRE(std::abs(int{picture.pixels[empty + 2]} - 0x2D) <= 1);
  REQUIRE(picture.pixels != draw(scene, {0x0F1B2D, 0x0FA3B1, 0xFF6B4A}, 64, 64).pixels);
}
