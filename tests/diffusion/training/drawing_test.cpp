// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <numeric>
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
}

TEST_CASE("there are enough families and names, and no two names mean one colour", "[drawing]") {
  REQUIRE(kRandomFamilies >= 16);
  REQUIRE(palette().size() >= 48);
  for (std::size_t i = 0; i < palette().size(); ++i)
    for (std::size_t j = 0; j < i; ++j) {
      INFO(palette()[i].name << " and " << palette()[j].name);
      REQUIRE(palette()[i].name != palette()[j].name);
      REQUIRE(distance(lab_of_srgb(palette()[i].rrggbb), lab_of_srgb(palette()[j].rrggbb)) >
              0.028F);
    }
}

namespace {

// The mean colour of a box, in fractions of the picture.
Lab mean(const Image& image, double left, double top, double right, double bottom) {
  Lab sum;
  float count = 0;
  const auto at = [](double part, int whole) { return static_cast<int>(part * whole); };
  for (int y = at(top, image.height); y < at(bottom, image.height); ++y)
    for (int x = at(left, image.width); x < at(right, image.width); ++x) {
      sum = sum + lab_of_srgb(&image.pixels[static_cast<std::size_t>(y * image.width + x) * 3]);
      ++count;
    }
  return sum * (1 / count);
}

Scene plain(Family family) {
  Scene scene = random_scene(5, family);
  scene.light = Light::None;
  scene.mood = Mood::Plain;
  scene.space = Space::Full;
  return scene;
}

constexpr std::array<std::uint32_t, 3> kBrand = {0x0F1B2D, 0xFF6B4A, 0x0FA3B1};

}  // namespace

TEST_CASE("the ground of every family has the first colour exactly where the layout is empty",
          "[drawing]") {
  for (std::size_t i = 0; i < kRandomFamilies; ++i) {
    Scene scene = plain(static_cast<Family>(i));
    INFO(family_names()[i]);
    // The families that keep their own soft ground shade it a little.
    const float allowed = 0.045F;
    const auto off = [&](Space space, double left, double top, double right, double bottom) {
      scene.space = space;
      const Image picture = draw(scene, kBrand, 96, 64);
      return distance(mean(picture, left, top, right, bottom), lab_of_srgb(kBrand[0]));
    };
    CHECK(off(Space::EmptyLeft, 0, 0.2F, 0.25F, 0.8F) < allowed);
    CHECK(off(Space::EmptyRight, 0.75F, 0.2F, 1, 0.8F) < allowed);
    CHECK(off(Space::EmptyTop, 0.2F, 0, 0.8F, 0.25F) < allowed);
    CHECK(off(Space::EmptyBottom, 0.2F, 0.75F, 0.8F, 1) < allowed);
    CHECK(off(Space::EmptyCentre, 0.45F, 0.45F, 0.55F, 0.55F) < allowed);
    CHECK(off(Space::Frame, 0.3F, 0.3F, 0.7F, 0.7F) < 0.004F);
  }
}

TEST_CASE("light comes from where the caption says, and a dark centre is dark", "[drawing]") {
  Scene scene = plain(Family::SoftWaves);
  scene.space = Space::EmptyTop;
  const auto lightness = [&](Light light, double x) {
    scene.light = light;
    return mean(draw(scene, kBrand, 96, 64), x, 0, x + 0.2, 0.2).lightness;
  };
  CHECK(lightness(Light::Left, 0) > lightness(Light::None, 0) + 0.04F);
  CHECK(lightness(Light::Left, 0) > lightness(Light::Left, 0.8F) + 0.1F);
  CHECK(lightness(Light::TopRight, 0.8F) > lightness(Light::TopRight, 0) + 0.08F);
  scene.light = Light::None;
  scene.space = Space::DarkCentre;
  const Image picture = draw(scene, {0xF4E9D8, 0xFF6B4A, 0x0FA3B1}, 96, 64);
  CHECK(mean(picture, 0.4, 0.4, 0.6, 0.6).lightness <
        mean(picture, 0, 0, 0.15, 0.15).lightness - 0.2);
}

TEST_CASE("smooth grounds are dithered, not banded", "[drawing]") {
  Scene scene = plain(Family::PaperGrain);
  scene.family = Family::SoftWaves;
  scene.space = Space::EmptyTop;
  scene.light = Light::Left;
  const Image picture = draw(scene, kBrand, 2048, 64);
  // Along a row of a slow ramp, levels change back and forth many times rather than once a level.
  int changes = 0;
  std::set<int> levels;
  for (int x = 1; x < 1024; ++x) {
    const int here = picture.pixels[static_cast<std::size_t>(x) * 3 + 1];
    changes += here != picture.pixels[static_cast<std::size_t>(x - 1) * 3 + 1] ? 1 : 0;
    levels.insert(here);
  }
  CHECK(changes > 3 * static_cast<int>(levels.size()));
}

TEST_CASE("edges of a card's size are as sharp as its pixels allow", "[drawing]") {
  // Flat colours fill the picture; few pixels lie between two of them.
  const Image picture =
      draw(plain(Family::BauhausShapes), {0x000000, 0xFFFFFF, 0x00FF00}, 1200, 630);
  std::array<std::size_t, 256> count{};
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3) ++count[picture.pixels[i]];
  std::sort(count.begin(), count.end());
  const std::size_t flat = std::accumulate(count.end() - 12, count.end(), std::size_t{0});
  CHECK(flat > picture.pixels.size() / 3 * 97 / 100);
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
  scene.family = Family::PaperLayers;
  scene.space = Space::Frame;
  const Image picture = draw(scene, {0x0F1B2D, 0xFF6B4A, 0x0FA3B1}, 64, 64);
  const std::size_t panel = (32 * 64 + 32) * 3;
  REQUIRE(int{picture.pixels[panel]} == 0x0F);
  REQUIRE(int{picture.pixels[panel + 1]} == 0x1B);
  REQUIRE(int{picture.pixels[panel + 2]} == 0x2D);
  REQUIRE(picture.pixels != draw(scene, {0x0F1B2D, 0x0FA3B1, 0xFF6B4A}, 64, 64).pixels);
}
