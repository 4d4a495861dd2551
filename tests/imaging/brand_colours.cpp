// SPDX-License-Identifier: Apache-2.0
#include "imaging/brand_colours.h"

#include <array>
#include <cmath>

#include "catch.h"
#include "imaging/ciede2000.h"
#include "imaging/deband.h"
#include "imaging/main_colours.h"

using namespace affiche;

namespace {

struct Pair {
  Cielab p, q;
  double difference;
};

// G. Sharma, W. Wu, E. Dalal, "The CIEDE2000 color-difference formula: implementation notes,
// supplementary test data, and mathematical observations" (2005), table 1.
constexpr Pair kPairs[] = {
    {{50, 2.6772, -79.7751}, {50, 0, -82.7485}, 2.0425},
    {{50, 3.1571, -77.2803}, {50, 0, -82.7485}, 2.8615},
    {{50, 2.8361, -74.0200}, {50, 0, -82.7485}, 3.4412},
    {{50, -1.3802, -84.2814}, {50, 0, -82.7485}, 1.0000},
    {{50, -1.1848, -84.8006}, {50, 0, -82.7485}, 1.0000},
    {{50, -0.9009, -85.5211}, {50, 0, -82.7485}, 1.0000},
    {{50, 0, 0}, {50, -1, 2}, 2.3669},
    {{50, -1, 2}, {50, 0, 0}, 2.3669},
    {{50, 2.4900, -0.0010}, {50, -2.4900, 0.0009}, 7.1792},
    {{50, 2.4900, -0.0010}, {50, -2.4900, 0.0010}, 7.1792},
    {{50, 2.4900, -0.0010}, {50, -2.4900, 0.0011}, 7.2195},
    {{50, 2.4900, -0.0010}, {50, -2.4900, 0.0012}, 7.2195},
    {{50, -0.0010, 2.4900}, {50, 0.0009, -2.4900}, 4.8045},
    {{50, -0.0010, 2.4900}, {50, 0.0010, -2.4900}, 4.8045},
    {{50, -0.0010, 2.4900}, {50, 0.0011, -2.4900}, 4.7461},
    {{50, 2.5, 0}, {50, 0, -2.5}, 4.3065},
    {{50, 2.5, 0}, {73, 25, -18}, 27.1492},
    {{50, 2.5, 0}, {61, -5, 29}, 22.8977},
    {{50, 2.5, 0}, {56, -27, -3}, 31.9030},
    {{50, 2.5, 0}, {58, 24, 15}, 19.4535},
    {{50, 2.5, 0}, {50, 3.1736, 0.5854}, 1.0000},
    {{50, 2.5, 0}, {50, 3.2972, 0}, 1.0000},
    {{50, 2.5, 0}, {50, 1.8634, 0.5757}, 1.0000},
    {{50, 2.5, 0}, {50, 3.2592, 0.3350}, 1.0000},
    {{60.2574, -34.0099, 36.2677}, {60.4626, -34.1751, 39.4387}, 1.2644},
    {{63.0109, -31.0961, -5.8663}, {62.8187, -29.7946, -4.0864}, 1.2630},
    {{61.2901, 3.7196, -5.3901}, {61.4292, 2.2480, -4.9620}, 1.8731},
    {{35.0831, -44.1164, 3.7933}, {35.0232, -40.0716, 1.5901}, 1.8645},
    {{22.7233, 20.0904, -46.6940}, {23.0331, 14.9730, -42.5619}, 2.0373},
    {{36.4612, 47.8580, 18.3852}, {36.2715, 50.5065, 21.2231}, 1.4146},
    {{90.8027, -2.0831, 1.4410}, {91.1528, -1.6435, 0.0447}, 1.4441},
    {{90.9257, -0.5406, -0.9208}, {88.6381, -0.8985, -0.7239}, 1.5381},
    {{6.7747, -0.2908, -2.4247}, {5.8714, -0.0985, -2.2286}, 0.6377},
    {{2.0776, 0.0795, -1.1350}, {0.9033, -0.0636, -0.5514}, 0.9082},
};

std::vector<Oklab> labs(std::initializer_list<std::uint32_t> colours) {
  std::vector<Oklab> result;
  for (const std::uint32_t colour : colours) result.push_back(lab_of_srgb(colour));
  return result;
}

// A picture of a function of the position (0 to 1), rounded to eight bits as models do.
template <typename Paint>
Image painted(int width, int height, Paint paint) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      put_srgb(paint(static_cast<float>(x) / static_cast<float>(width),
                     static_cast<float>(y) / static_cast<float>(height)),
               &image.pixels[static_cast<std::size_t>(y * width + x) * 3]);
  return image;
}

}  // namespace

TEST_CASE("CIEDE2000 has the differences that its authors published") {
  for (const Pair& pair : kPairs) {
    CHECK(ciede2000(pair.p, pair.q) == Approx(pair.difference).margin(1e-4));
    CHECK(ciede2000(pair.q, pair.p) == Approx(pair.difference).margin(1e-4));
  }
  // sRGB red in CIELAB of D65 (B. Lindbloom): 53.2408, 80.0925, 67.2032.
  const Cielab red = cielab_of(lab_of_srgb(0xFF0000));
  CHECK(red.lightness == Approx(53.24).margin(0.02));
  CHECK(red.a == Approx(80.09).margin(0.05));
  CHECK(red.b == Approx(67.2).margin(0.05));
}

TEST_CASE("main colours are the largest groups of like colours") {
  const Image image = painted(200, 100, [](float x, float y) {
    if (x < 0.6F) return lab_of_srgb(0x0F1B2D);
    return lab_of_srgb(y < 0.75F ? 0xFF6B4A : 0xFFFFFF);
  });
  const std::vector<MainColour> colours = main_colours(image);
  REQUIRE(colours.size() == 3);
  CHECK(srgb_of_lab(colours[0].colour) == 0x0F1B2D);
  CHECK(colours[0].share == Approx(0.6).margin(0.02));
  CHECK(srgb_of_lab(colours[1].colour) == 0xFF6B4A);
  CHECK(colours[2].share == Approx(0.1).margin(0.02));
  CHECK(main_colours(std::span<const Oklab>{}).empty());
  CHECK(main_colours(painted(3, 1, [](float, float) { return lab_of_srgb(0x123456); })).size() ==
        1);
}

TEST_CASE("any picture comes to the brand's colours") {
  const std::vector<std::vector<Oklab>> brands = {
      labs({0x0F1B2D, 0x0FA3B1, 0xFF6B4A, 0xF4E9D8}), labs({0xFFFFFF, 0x111111, 0xE4002B}),
      labs({0x1D4A2C, 0xE8BE62, 0xFFF3C9, 0xC4603F}), labs({0x3A2A9E, 0xFF4F9A})};
  const std::array<std::uint32_t, 6> inks = {0x8E9297, 0xB3DD3A, 0xDB2331,
                                             0x7BC3F4, 0x2B1A12, 0xFFF3C9};
  int pictures = 0;
  for (std::size_t i = 0; i < inks.size(); ++i)
    for (std::size_t j = 0; j < inks.size(); ++j) {
      if (i == j) continue;
      const Oklab p = lab_of_srgb(inks[i]), q = lab_of_srgb(inks[j]);
      const auto phase = static_cast<float>(i * 7 + j);
      // Alternately a ramp, waves and spots, so that there are smooth ways, edges and small shapes.
      const Image image = painted(160, 84, [&](float x, float y) {
        if (pictures % 3 == 0) return mix(p, q, x * x);
        if (pictures % 3 == 1) return y + 0.15F * std::sin(8 * x + phase) < 0.55F ? p : q;
        const float spot = std::sin(19 * x + phase) * std::sin(13 * y);
        return mix(p, q, spot > 0.4F ? 1.0F : 0.1F * x);
      });
      const auto& brand = brands[static_cast<std::size_t>(pictures++) % brands.size()];
      const Image matched = to_brand_colours(image, brand);
      INFO("picture " << pictures << ", before " << brand_distance(image, brand));
      CHECK(brand_distance(matched, brand) < 3);
      CHECK(matched.pixels == to_brand_colours(image, brand).pixels);
    }
}

TEST_CASE("a stretched ramp shows no bands") {
  // 12 levels of eight bits over 512 pixels, as a model paints a dark ground.
  const Image image = painted(
      512, 96, [](float x, float) { return mix(lab_of_srgb(0x20242A), lab_of_srgb(0x2C3138), x); });
  REQUIRE(banding(image) > 0.5);
  const Image matched = to_brand_colours(image, labs({0x0F1B2D, 0x0FA3B1}));
  CHECK(brand_distance(matched, labs({0x0F1B2D, 0x0FA3B1})) < 3);
  CHECK(banding(matched) < 0.05);
  CHECK(banding(painted(64, 64, [](float, float) { return Oklab{0.5F, 0, 0}; })) == 0);
}

TEST_CASE("a picture in the brand's colours hardly changes, and none means none") {
  const Image image = painted(128, 64, [](float x, float y) {
    return x + 0.2F * std::sin(9 * y) < 0.5F ? lab_of_srgb(0x0F1B2D) : lab_of_srgb(0xFF6B4A);
  });
  const Image matched = to_brand_colours(image, labs({0x0F1B2D, 0xFF6B4A, 0x0FA3B1}));
  int most = 0;
  for (std::size_t i = 0; i < image.pixels.size(); ++i)
    most = std::max(most, std::abs(int{image.pixels[i]} - int{matched.pixels[i]}));
  CHECK(most <= 3);
  CHECK(to_brand_colours(image, {}).pixels == image.pixels);
  CHECK(to_brand_colours(Image{}, labs({0x0F1B2D})).empty());
  CHECK(brand_distance(to_brand_colours(image, labs({0x0FA3B1})), labs({0x0FA3B1})) < 3);
}
