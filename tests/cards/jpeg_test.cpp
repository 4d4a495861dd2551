// SPDX-License-Identifier: Apache-2.0
#include "cards/jpeg.h"

#include <cmath>

#include "cards/fixtures.h"
#include "cards/picture.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

// Soft waves in colour: nothing that a resampling filter could ring on.
Image waves(int width, int height) {
  Image image = make_image(width, height, 3);
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      std::uint8_t* pixel =
          image.pixels.data() + static_cast<std::size_t>(y) * image.stride() + x * 3;
      pixel[0] = static_cast<std::uint8_t>(128 + 100 * std::sin(6.0 * x / width));
      pixel[1] = static_cast<std::uint8_t>(128 + 100 * std::sin(5.0 * y / height + 1));
      pixel[2] = static_cast<std::uint8_t>(128 + 100 * std::cos(4.0 * (x + y) / width));
    }
  }
  return image;
}

Bytes with_segment(Bytes jpeg, std::uint8_t marker, const std::string& data) {
  Bytes segment = {0xff, marker, static_cast<std::uint8_t>((data.size() + 2) >> 8),
                   static_cast<std::uint8_t>(data.size() + 2)};
  segment.insert(segment.end(), data.begin(), data.end());
  jpeg.insert(jpeg.begin() + 2, segment.begin(), segment.end());
  return jpeg;
}

PhotoLayer centred() {
  PhotoLayer layer;
  layer.focus = PhotoLayer::Focus::Centre;
  return layer;
}

double mean_difference(const Image& a, const Image& b) {
  REQUIRE(a.pixels.size() == b.pixels.size());
  double sum = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(a.pixels[i] - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

}  // namespace

TEST_CASE("only upright JPEGs without a profile are plain", "[jpeg]") {
  const Bytes jpeg = encode(waves(120, 80), Format::Jpeg).bytes;
  REQUIRE(plain_jpeg(jpeg));
  CHECK(plain_jpeg(jpeg)->width == 120);
  CHECK_FALSE(plain_jpeg(with_segment(jpeg, 0xe2, std::string("ICC_PROFILE\0\1\1", 14))));
  const auto turned = [&](char orientation) {
    return with_segment(jpeg, 0xe1,
                        std::string("Exif\0\0MM\0*\0\0\0\10\0\1\1\22\0\3\0\0\0\1\0", 25) +
                            orientation + std::string(6, '\0'));
  };
  CHECK(plain_jpeg(turned(1)));
  CHECK_FALSE(plain_jpeg(turned(6)));
  CHECK_FALSE(plain_jpeg(with_segment(jpeg, 0xe1, std::string("Exif\0\0MM\0*\377\377\0\10", 14))));
  CHECK_FALSE(plain_jpeg(encode_png(waves(8, 8))));
  CHECK_FALSE(plain_jpeg({}));
}

TEST_CASE("a photo on the hot path looks as libvips makes it", "[jpeg]") {
  const Bytes jpeg = encode(waves(1203, 802), Format::Jpeg, {.quality = 95}).bytes;
  // A profile that cannot be read sends the same pixels the long way.
  const Bytes other = with_segment(jpeg, 0xe2, std::string("ICC_PROFILE\0\1\1", 14));
  for (const auto& [width, height] : {std::pair{600, 400}, {300, 300}, {100, 220}, {1500, 300}}) {
    PhotoLayer layer = centred();
    const CoverPhoto fast = cover(Photo(jpeg, good_credit()), width, height, layer);
    const CoverPhoto slow = cover(Photo(other, good_credit()), width, height, layer);
    INFO(width << "x" << height);
    CHECK(mean_difference(fast.image, slow.image) < 1.5);
    CHECK(fast.cropped == slow.cropped);
    CHECK(fast.enlargement == Approx(slow.enlargement).epsilon(0.01));
    layer.focus = PhotoLayer::Focus::Point;
    layer.point = {0.9, 0.1};
    CHECK(mean_difference(cover(Photo(jpeg, good_credit()), width, height, layer).image,
                          cover(Photo(other, good_credit()), width, height, layer).image) < 1.5);
  }
}

TEST_CASE("a part of a JPEG is the same as the whole one there", "[jpeg]") {
  const Bytes jpeg = encode(waves(400, 300), Format::Jpeg).bytes;
  const auto whole = decode_jpeg(jpeg, 2, 0, 0, 200, 150);
  const auto part = decode_jpeg(jpeg, 2, 90, 60, 70, 50);
  REQUIRE(whole);
  REQUIRE(part);
  CHECK(part->x <= 90);
  CHECK(part->x + part->width >= 160);
  for (int y = 0; y < part->height; ++y) {
    for (int x = 0; x < part->width; ++x) {
      REQUIRE(part->pixels[static_cast<std::size_t>(y) * part->width + x] ==
              whole->pixels[static_cast<std::size_t>(y + part->y) * 200 + x + part->x]);
    }
  }
}

TEST_CASE("a damaged JPEG is refused wherever it breaks off", "[jpeg]") {
  const Bytes jpeg = encode(waves(400, 300), Format::Jpeg, {.progressive = false}).bytes;
  for (const std::size_t size : {std::size_t{3}, std::size_t{100}, jpeg.size() / 3}) {
    const Bytes cut(jpeg.begin(), jpeg.begin() + static_cast<std::ptrdiff_t>(size));
    CHECK_FALSE(decode_jpeg(cut, 1, 0, 0, 400, 300));
    const Photo photo(cut, good_credit());
    CHECK(thrown([&] { cover(photo, 200, 150, centred()); }).cause == Cause::BadInput);
  }
}

TEST_CASE("baseline and progressive JPEGs hold the same picture", "[jpeg]") {
  const Image image = waves(321, 203);
  const Bytes baseline = encode_jpeg(image, {.quality = 90, .progressive = false});
  const Bytes progressive = encode_jpeg(image, {.quality = 90, .progressive = true});
  CHECK(progressive.size() < baseline.size());
  CHECK(decode(baseline, "file").pixels == decode(progressive, "file").pixels);
  const Bytes half = encode_jpeg(image, {.quality = 90, .subsample = true});
  CHECK(half.size() < progressive.size());
}

}  // namespace affiche::cards::test
