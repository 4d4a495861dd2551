// SPDX-License-Identifier: Apache-2.0
// Expected digests are those of Pillow 13 and OpenCV 5 for the same pictures.
#include "imaging/resize.h"

#include "base/error.h"
#include "base/sha256.h"
#include "catch.h"
#include "imaging/canny.h"

using namespace affiche;

namespace {

// Every pixel another value, without a pattern that a filter could miss.
Image picture(int width, int height) {
  Image image = make_image(width, height, 3);
  std::uint32_t state = 12345;
  for (std::uint8_t& value : image.pixels) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<std::uint8_t>(state >> 24);
  }
  return image;
}

// Discs and a bar: edges in all directions.
Image shapes(int width, int height) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const int dx = x - width / 3, dy = y - height / 2;
      std::uint8_t* pixel = image.pixels.data() + static_cast<std::size_t>(y) * image.stride() +
                            static_cast<std::size_t>(x) * 3;
      if (dx * dx + dy * dy < 150) pixel[0] = 200;
      if (2 * x + y > 2 * width - 10) pixel[1] = 120;
      pixel[2] = static_cast<std::uint8_t>(x * 255 / width);
    }
  }
  return image;
}

std::string digest(const Image& image) {
  return sha256_hex(image.pixels).substr(0, 16);
}

}  // namespace

TEST_CASE("pictures are resized to the bytes that Pillow gives") {
  struct Case {
    Filter filter;
    int width, height;
    const char* digest;
  };
  const Image image = picture(70, 75);
  for (const Case& item : {Case{Filter::Lanczos, 64, 72, "257ec7adebd3ee4d"},
                           Case{Filter::Lanczos, 31, 9, "28214c455b8ee3f5"},
                           Case{Filter::Lanczos, 140, 151, "83f371e6f8cca0b5"},
                           Case{Filter::Lanczos, 70, 20, "6ca1d42daf680eb8"},
                           Case{Filter::Bicubic, 64, 72, "ac89f9be7833b685"},
                           Case{Filter::Bicubic, 31, 9, "f5221e6f04102d3d"},
                           Case{Filter::Bicubic, 140, 151, "1bcd1382389a5b18"},
                           Case{Filter::Bicubic, 70, 20, "789bd2d4f81f5cc2"},
                           Case{Filter::Bilinear, 64, 72, "462b05f666819e51"},
                           Case{Filter::Bilinear, 31, 9, "24a8955078a94734"},
                           Case{Filter::Bilinear, 140, 151, "43aa401d66948aea"},
                           Case{Filter::Bilinear, 70, 20, "728ae89c119c48a0"},
                           // Columns first where the height loses more.
                           Case{Filter::Lanczos, 96, 64, "872aaf5b60606bac"},
                           Case{Filter::Lanczos, 69, 10, "dbc6ba3d8b54caa7"},
                           Case{Filter::Lanczos, 66, 67, "1955929699c2a1dc"},
                           Case{Filter::Lanczos, 65, 65, "c38390289f52bbc1"}}) {
    INFO(item.width << "x" << item.height);
    CHECK(digest(resize(image, item.width, item.height, item.filter)) == item.digest);
  }
}

TEST_CASE("a part of a picture is resized, even an empty one at its edge") {
  const Image image = picture(70, 75);
  CHECK(digest(resize(image, 20, 30, Filter::Bicubic, {3.5, 2, 50, 60.25})) == "69c09eb01ea47d24");
  CHECK(digest(resize(image, 70, 4, Filter::Bicubic, {0, 75, 70, 75})) == "760d5aa4816a8261");
  CHECK_THROWS_AS(resize(image, 4, 4, Filter::Bicubic, {0, 0, 71, 75}), Error);
  CHECK_THROWS_AS(resize(image, 0, 4, Filter::Bicubic), Error);
}

TEST_CASE("cuts, luma and edges are those of Pillow and OpenCV") {
  CHECK(digest(crop(picture(70, 75), -3, 70, 40, 80)) == "ad33ce65d4d88a3d");
  CHECK(sha256_hex(to_luma(picture(70, 75))).substr(0, 16) == "d62702fab7165800");
  CHECK(digest(canny(shapes(60, 50))) == "5ff537782e188871");
  CHECK(digest(canny(shapes(33, 47))) == "cce1e2da694badb4");
  CHECK(digest(canny(picture(70, 75), 300, 700)) == "bc791d430cd2e00f");
}
