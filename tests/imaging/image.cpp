// SPDX-License-Identifier: Apache-2.0
#include "imaging/image.h"

#include <algorithm>
#include <tuple>

#include "catch.h"
#include "throws.h"

using namespace affiche;
using test::contains;
using test::thrown;

TEST_CASE("a new picture is black and has exactly its pixels") {
  const Image image = make_image(3, 2, 4);
  CHECK(image.stride() == 12);
  CHECK(image.pixels.size() == 24);
  CHECK(std::count(image.pixels.begin(), image.pixels.end(), 0) == 24);
  CHECK(Image{}.empty());
}

TEST_CASE("pictures without pixels, too large ones and odd channels are refused") {
  for (const auto& [width, height, channels] : {std::tuple{0, 1, 3},
                                                {1, 0, 3},
                                                {-1, 1, 3},
                                                {32769, 1, 3},
                                                {1, 32769, 3},
                                                {1, 1, 2},
                                                {1, 1, 5}}) {
    CHECK(contains(thrown([&] { make_image(width, height, channels); }), "bad_input: "));
  }
}
