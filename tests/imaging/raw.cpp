// SPDX-License-Identifier: Apache-2.0
#include "imaging/raw.h"

#include <numeric>

#include "catch.h"
#include "throws.h"

using namespace affiche;
using test::contains;
using test::thrown;

namespace {

Image counting(int width, int height, int channels) {
  Image image = make_image(width, height, channels);
  std::iota(image.pixels.begin(), image.pixels.end(), std::uint8_t{1});
  return image;
}

std::string refusal(const Bytes& bytes) {
  return thrown([&] { from_raw(bytes, "artifact 7"); });
}

// The raw form of a 3x2 RGB picture with one byte of the header changed.
Bytes with(std::size_t at, std::uint8_t value) {
  Bytes bytes = to_raw(counting(3, 2, 3));
  bytes[at] = value;
  return bytes;
}

}  // namespace

TEST_CASE("raw pixels come back as they went") {
  for (const int channels : {3, 4}) {
    const Image image = counting(5, 3, channels);
    const Image back = from_raw(to_raw(image), "artifact");
    CHECK(back.width == 5);
    CHECK(back.height == 3);
    CHECK(back.channels == channels);
    CHECK(back.pixels == image.pixels);
  }
}

TEST_CASE("the header is the documented one, on every machine") {
  const Bytes bytes = to_raw(counting(258, 2, 3));
  const Bytes header(bytes.begin(), bytes.begin() + 20);
  CHECK(header == Bytes{'A', 'F', 'P', 'X', 1, 0, 0, 0, 2, 1, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0});
}

TEST_CASE("damaged raw pixels are refused by name") {
  const Bytes good = to_raw(counting(3, 2, 3));
  CHECK(refusal(good) == "nothing was thrown");
  for (std::size_t size = 0; size < good.size(); ++size) {
    const std::string message = refusal(Bytes(good.begin(), good.begin() + size));
    INFO(size << ": " << message);
    CHECK(contains(message, "bad_input: artifact 7: "));
  }
  Bytes longer = good;
  longer.push_back(0);
  for (const Bytes& bytes :
       {longer, with(0, 'B'), with(4, 2), with(8, 0), with(8, 4), with(11, 0x80), with(12, 0),
        with(15, 0xff), with(16, 2), with(16, 5)}) {
    CHECK(contains(refusal(bytes), "bad_input: artifact 7: "));
  }
}

TEST_CASE("a header that promises more than the file holds reserves nothing") {
  Bytes bytes = with(9, 0x7f);  // 32515 wide
  bytes[13] = 0x7f;             // and as high: 3 GB
  CHECK(contains(refusal(bytes), "bytes of pixels, found 18"));
}
