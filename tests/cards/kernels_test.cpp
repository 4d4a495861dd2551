// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "cards/kernels/pixel_rows.h"
#include "catch.h"

namespace affiche::cards::kernels {
namespace {

using Row = std::vector<std::uint32_t>;

int channel(std::uint32_t pixel, int index) {
  return static_cast<int>(pixel >> (8 * index) & 255);
}

// Random pixels, premultiplied, with many fully clear and fully opaque ones.
Row pixels(int count, unsigned seed, bool opaque) {
  std::mt19937 engine(seed);
  const auto below = [&](std::uint32_t limit) {
    return static_cast<std::uint32_t>(engine()) % limit;
  };
  Row row(static_cast<std::size_t>(count));
  for (std::uint32_t& pixel : row) {
    const std::uint32_t alpha = opaque || below(4) == 0 ? 255 : below(3) == 0 ? 0 : below(255);
    pixel = alpha << 24;
    for (int c = 0; c < 3; ++c) pixel |= below(alpha + 1) << (8 * c);
  }
  return row;
}

constexpr int kCount = 1003;  // no multiple of any vector's lanes

}  // namespace

TEST_CASE("a row over another is the rounded formula", "[kernels]") {
  const Row below = pixels(kCount, 1, true);
  const Row above = pixels(kCount, 2, false);
  Row result = below;
  pixel_rows().over(result.data(), above.data(), kCount);
  for (int i = 0; i < kCount; ++i) {
    const double rest = 1 - channel(above[i], 3) / 255.0;
    for (int c = 0; c < 4; ++c) {
      const double exact = channel(above[i], c) + channel(below[i], c) * rest;
      REQUIRE(std::abs(channel(result[i], c) - exact) <= 0.51);
    }
  }
}

TEST_CASE("a row mixed in by cover and opacity stays within a level", "[kernels]") {
  const Row below = pixels(kCount, 3, true);
  const Row above = pixels(kCount, 4, true);
  std::vector<std::uint8_t> cover(kCount);
  for (int i = 0; i < kCount; ++i) cover[i] = static_cast<std::uint8_t>(i * 7);
  Row result = below;
  pixel_rows().blend(result.data(), above.data(), cover.data(), 200, kCount);
  for (int i = 0; i < kCount; ++i) {
    const double alpha = cover[i] / 255.0 * 200 / 255;
    for (int c = 0; c < 4; ++c) {
      const double exact =
          channel(below[i], c) + (channel(above[i], c) - channel(below[i], c)) * alpha;
      REQUIRE(std::abs(channel(result[i], c) - exact) <= 1);
    }
  }
  Row whole = below;
  pixel_rows().blend(whole.data(), above.data(), nullptr, 255, kCount);
  CHECK(whole == above);
}

TEST_CASE("a tint of nothing changes nothing, a full one is its colour, half is between",
          "[kernels]") {
  const Row below = pixels(kCount, 5, true);
  const std::vector<std::uint16_t> none(kCount, 0);
  const std::vector<std::uint16_t> full(kCount, 65535);
  Row result = below;
  pixel_rows().tint(result.data(), none.data(), 65536, 0xff102030U, 3, 4, kCount);
  CHECK(result == below);
  pixel_rows().tint(result.data(), full.data(), 0, 0xff102030U, 3, 4, kCount);
  CHECK(result == below);
  pixel_rows().tint(result.data(), full.data(), 32768, 0xff102030U, 3, 4, kCount);
  double error = 0;
  for (int i = 0; i < kCount; ++i) {
    const double exact = (channel(below[i], 0) + 0x30) / 2.0;
    REQUIRE(std::abs(channel(result[i], 0) - exact) <= 1.01);
    error += channel(result[i], 0) - exact;
  }
  CHECK(std::abs(error / kCount) < 0.05);  // the dither is no bias
  pixel_rows().tint(result.data(), full.data(), 65536, 0xff102030U, 3, 4, kCount);
  CHECK(result == Row(kCount, 0xff102030U));
}

TEST_CASE("pixels and RGB bytes are converted both ways", "[kernels]") {
  const Row row = pixels(kCount, 6, true);
  std::vector<std::uint8_t> rgb(kCount * 3);
  pixel_rows().to_rgb(rgb.data(), row.data(), kCount);
  CHECK(rgb[0] == channel(row[0], 2));
  CHECK(rgb[5] == channel(row[1], 0));
  Row back(kCount);
  pixel_rows().from_rgb(back.data(), rgb.data(), kCount);
  CHECK(back == row);
}

// Same inputs, same bytes, whatever the machine.
TEST_CASE("every variant of the loops gives the same bytes", "[kernels]") {
  const PixelRows& best = pixel_rows();
  const PixelRows& plain = portable_pixel_rows();
  const Row below = pixels(kCount, 7, true);
  const Row above = pixels(kCount, 8, false);
  std::vector<std::uint16_t> strength(kCount);
  for (int i = 0; i < kCount; ++i) strength[i] = static_cast<std::uint16_t>(i * 65);
  Row a = below;
  Row b = below;
  best.over(a.data(), above.data(), kCount);
  plain.over(b.data(), above.data(), kCount);
  CHECK(a == b);
  best.tint(a.data(), strength.data(), 40000, 0xff804020U, 11, 12, kCount);
  plain.tint(b.data(), strength.data(), 40000, 0xff804020U, 11, 12, kCount);
  CHECK(a == b);
  const std::vector<float> weights = {-0.07F, 0.31F, 0.52F, 0.31F, -0.07F};
  std::vector<Taps> taps(200);
  for (int i = 0; i < 200; ++i) taps[i] = {i, 5, weights.data()};
  std::vector<float> sums_a(200 * 4 + 16);
  std::vector<float> sums_b(sums_a);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(below.data());
  best.sum_rows(sums_a.data(), bytes, 800, {0, 5, weights.data()}, 800);
  plain.sum_rows(sums_b.data(), bytes, 800, {0, 5, weights.data()}, 800);
  CHECK(sums_a == sums_b);
  best.sum_pixels(a.data(), sums_a.data(), taps.data(), 196);
  plain.sum_pixels(b.data(), sums_a.data(), taps.data(), 196);
  CHECK(a == b);
}

}  // namespace affiche::cards::kernels
