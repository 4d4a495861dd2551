// SPDX-License-Identifier: Apache-2.0
#include "cards/resample.h"

#include <cmath>

#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {

TEST_CASE("a plain colour stays itself at every scale", "[resample]") {
  const Image plain = two_halves(40, 30, {15, 163, 177}, {15, 163, 177});
  for (const int width : {7, 40, 333}) {
    const FloatPixels made = resample_to_cover(plain, width, 90, 1, 0.5, 0.5);
    for (std::size_t i = 0; i < made.rgb.size(); i += 3) {
      REQUIRE(std::abs(made.rgb[i] - 15) < 0.01F);
      REQUIRE(std::abs(made.rgb[i + 2] - 177) < 0.01F);
    }
  }
}

TEST_CASE("zoom and focus choose the part that is seen", "[resample]") {
  const Image halves = two_halves(80, 40, {255, 0, 0}, {0, 0, 255});
  const FloatPixels left = resample_to_cover(halves, 40, 20, 2.5, 0, 0.5);
  const FloatPixels right = resample_to_cover(halves, 40, 20, 2.5, 1, 0.5);
  for (std::size_t i = 0; i < left.rgb.size(); i += 3) {
    REQUIRE(left.rgb[i] > 250);
    REQUIRE(right.rgb[i] < 5);
  }
}

TEST_CASE("enlarging makes levels between those of the source", "[resample]") {
  const Image steps = two_halves(4, 4, {100, 100, 100}, {101, 101, 101});
  const FloatPixels made = resample_to_cover(steps, 64, 64, 1, 0.5, 0.5);
  int between = 0;
  for (int x = 0; x < 64; ++x) {
    const float value = made.rgb[static_cast<std::size_t>(x) * 3];
    if (value > 100.1F && value < 100.9F) ++between;
  }
  CHECK(between > 8);
}

}  // namespace affiche::cards::test
