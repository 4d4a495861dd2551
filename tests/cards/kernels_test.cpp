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
  for (const int count : {1, 2, 3, 5, 6, 7, 8, 9, kCount}) {
    std::vector<std::uint8_t> rgb_a(static_cast<std::size_t>(count) * 3 + 1, 99);
    std::vector<std::uint8_t> rgb_b(rgb_a);
    best.to_rgb(rgb_a.data(), below.data(), count);
    plain.to_rgb(rgb_b.data(), below.data(), count);
    CHECK(rgb_a == rgb_b);
    CHECK(rgb_a.back() == 99);
    best.from_rgb(a.data(), rgb_a.data(), count);
    plain.from_rgb(b.data(), rgb_a.data(), count);
    CHECK(a == b);
  }
}

namespace {

// `count` random weights of sum 1 for each of `pixels` pixels, one source pixel further each time.
struct Filter {
  Filter(int pixels, int count, unsigned seed) {
    const int reach = (count + kTapStep - 1) / kTapStep * kTapStep;
    std::mt19937 engine(seed);
    weights.resize(static_cast<std::size_t>(pixels) * reach);
    for (int i = 0; i < pixels; ++i) {
      std::int16_t* first = weights.data() + static_cast<std::size_t>(i) * reach;
      int rest = 1 << kWeightBits;
      for (int t = 0; t + 1 < count; ++t) {
        first[t] = static_cast<std::int16_t>(static_cast<int>(engine() % 9000) - 3000);
        rest -= first[t];
      }
      first[count - 1] = static_cast<std::int16_t>(std::clamp(rest, -32768, 32767));
      taps.push_back({i, count, first});
    }
  }
  std::vector<std::int16_t> weights;
  std::vector<Taps> taps;
};

}  // namespace

TEST_CASE("sums of rows and pixels are the filter's, on every variant", "[kernels]") {
  const Row source = pixels(kCount, 9, true);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(source.data());
  for (const int count : {1, 2, 3, 4, 5, 7, 8, 9, 13}) {
    INFO(count << " taps");
    const Filter down(1, count, 10);
    const int width = 53 * 4 + 3;  // bytes; no multiple of a vector
    std::vector<std::int16_t> sums(width + 1, 77);
    std::vector<std::int16_t> same(sums);
    pixel_rows().sum_rows(sums.data(), bytes, width, down.taps[0], width);
    portable_pixel_rows().sum_rows(same.data(), bytes, width, down.taps[0], width);
    CHECK(sums == same);
    CHECK(sums.back() == 77);
    for (int i = 0; i < width; ++i) {
      double exact = 0;
      for (int t = 0; t < count; ++t) {
        exact += down.weights[static_cast<std::size_t>(t)] / 16384.0 * bytes[t * width + i];
      }
      REQUIRE(std::abs(sums[static_cast<std::size_t>(i)] / 64.0 -
                       std::clamp(exact, -512., 511.99)) <= 0.5 / 64 + 1e-9);
    }

    const Filter across(39, count, 11);
    std::vector<std::int16_t> from(static_cast<std::size_t>(39 + count - 1 + kTapStep) * 4);
    for (std::size_t i = 0; i < from.size(); ++i) {
      from[i] = static_cast<std::int16_t>(i % 7 == 0 ? -500 : i % 5 == 0 ? 17000 : bytes[i] * 64);
    }
    Row made(40, 7);
    Row portable(40, 7);
    pixel_rows().sum_pixels(made.data(), from.data(), across.taps.data(), 39);
    portable_pixel_rows().sum_pixels(portable.data(), from.data(), across.taps.data(), 39);
    CHECK(made == portable);
    CHECK(made.back() == 7);
    for (int i = 0; i < 39; ++i) {
      REQUIRE(channel(made[static_cast<std::size_t>(i)], 3) == 255);
      for (int c = 0; c < 3; ++c) {
        double exact = 0;
        for (int t = 0; t < count; ++t) {
          exact += across.taps[static_cast<std::size_t>(i)].weights[t] / 16384.0 *
                   from[static_cast<std::size_t>((i + t) * 4 + c)] / 64;
        }
        REQUIRE(std::abs(channel(made[static_cast<std::size_t>(i)], c) -
                         std::clamp(exact, 0.0, 255.0)) <= 0.5 + 1e-9);
      }
    }
  }
}

}  // namespace affiche::cards::kernels
