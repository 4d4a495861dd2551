// SPDX-License-Identifier: Apache-2.0
#include "imaging/oklab.h"

#include <set>

#include "catch.h"

using namespace affiche;

TEST_CASE("every sRGB colour comes back from OKLab") {
  for (std::uint32_t r = 0; r < 256; r += 15)
    for (std::uint32_t g = 0; g < 256; g += 15)
      for (std::uint32_t b = 0; b < 256; b += 15) {
        const std::uint32_t colour = r << 16 | g << 8 | b;
        REQUIRE(srgb_of_lab(lab_of_srgb(colour)) == colour);
      }
}

TEST_CASE("OKLab has the values of its author") {
  // B. Ottosson, "A perceptual color space for image processing": red, green, blue.
  const Oklab red = lab_of_srgb(0xFF0000), green = lab_of_srgb(0x00FF00), blue = lab_of_srgb(0xFF);
  CHECK(red.lightness == Approx(0.6280).margin(1e-3));
  CHECK(red.a == Approx(0.2249).margin(1e-3));
  CHECK(red.b == Approx(0.1258).margin(1e-3));
  CHECK(green.lightness == Approx(0.8664).margin(1e-3));
  CHECK(blue.b == Approx(-0.3115).margin(1e-3));
  CHECK(lab_of_srgb(0xFFFFFF).lightness == Approx(1).margin(1e-4));
}

TEST_CASE("a colour outside of sRGB keeps its lightness and hue") {
  const Oklab wild = {0.5F, 0.3F, -0.3F}, held = into_gamut(wild);
  CHECK(held.lightness == wild.lightness);
  CHECK(held.a / held.b == Approx(wild.a / wild.b).epsilon(1e-3));
  CHECK(chroma(held) > 0.05F);
  for (const float v : linear_of_lab(held)) {
    CHECK(v > -1e-3F);
    CHECK(v < 1 + 1e-3F);
  }
}

TEST_CASE("a dither keeps whole levels and rounds the others by chance") {
  double sum = 0;
  std::set<int> levels;
  std::uint8_t rgb[3];
  for (int i = 0; i < 4096; ++i) {
    put_dithered({17, 100.25F, 255}, i % 64, i / 64, rgb);
    REQUIRE(rgb[0] == 17);
    REQUIRE(rgb[2] == 255);
    levels.insert(rgb[1]);
    sum += rgb[1];
  }
  CHECK(levels == std::set<int>{100, 101});
  CHECK(sum / 4096 == Approx(100.25).margin(0.03));
}
