// SPDX-License-Identifier: Apache-2.0
#include "photos/picture_header.h"

#include "catch.h"
#include "pictures.h"
#include "throws.h"

using namespace affiche;
using photos::read_picture_header;
using test::contains;
using test::thrown;

TEST_CASE("type and size are read from the first bytes", "[header]") {
  const auto jpeg = read_picture_header(test::jpeg_header(1200, 630), "a");
  REQUIRE((jpeg.media_type == "image/jpeg" && jpeg.width == 1200 && jpeg.height == 630));
  const auto png = read_picture_header(test::png_header(70000, 3), "a");
  REQUIRE((png.media_type == "image/png" && png.width == 70000 && png.height == 3));
  const auto lossy = read_picture_header(test::webp_header("VP8 ", 1200, 630), "a");
  REQUIRE((lossy.media_type == "image/webp" && lossy.width == 1200 && lossy.height == 630));
  const auto lossless = read_picture_header(test::webp_header("VP8L", 1200, 630), "a");
  REQUIRE((lossless.width == 1200 && lossless.height == 630));
  const auto extended = read_picture_header(test::webp_header("VP8X", 1200, 630), "a");
  REQUIRE((extended.width == 1200 && extended.height == 630));
}

TEST_CASE("every beginning of a header that is too short is refused", "[header]") {
  for (const Bytes& whole :
       {test::jpeg_header(9, 9), test::png_header(9, 9), test::webp_header("VP8 ", 9, 9),
        test::webp_header("VP8L", 9, 9), test::webp_header("VP8X", 9, 9)}) {
    REQUIRE(thrown([&] { read_picture_header(whole, "a"); }) == "nothing was thrown");
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      CAPTURE(size);
      REQUIRE(contains(thrown([&] { read_picture_header(part, "a"); }), "bad_input: a: "));
    }
  }
}

TEST_CASE("other files are refused whatever their name", "[header]") {
  const std::string svg = "<svg xmlns='http://www.w3.org/2000/svg'/>";
  REQUIRE(contains(thrown([&] { read_picture_header(Bytes(svg.begin(), svg.end()), "logo.jpg"); }),
                   "logo.jpg: expected a JPEG, PNG or WebP picture"));
  REQUIRE(contains(thrown([] { read_picture_header(test::png_header(0, 5), "a"); }), "0×5"));
  REQUIRE(contains(thrown([] { read_picture_header(test::png_header(0xffffffff, 5), "a"); }),
                   "expected a size"));
}

TEST_CASE("a JPEG whose segments lead nowhere ends", "[header]") {
  Bytes endless = {0xff, 0xd8, 0xff, 0xe0, 0x00, 0x00};
  REQUIRE(
      contains(thrown([&] { read_picture_header(endless, "a"); }), "shorter than its own length"));
  Bytes fill(100'000, 0xff);
  fill[1] = 0xd8;
  REQUIRE(contains(thrown([&] { read_picture_header(fill, "a"); }), "bad_input"));
}
