// SPDX-License-Identifier: Apache-2.0
#include "cards/encode.h"

#include <cstdlib>

#include "base/error.h"
#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

Cause refused(const Bytes& bytes) {
  return thrown([&] { decode(bytes, "file"); }).cause;
}

// Noise that no encoder can make small.
Image noise(int width, int height) {
  Image image = make_image(width, height, 3);
  std::uint32_t state = 1;
  for (std::uint8_t& value : image.pixels) {
    state = state * 1664525U + 1013904223U;
    value = static_cast<std::uint8_t>(state >> 24);
  }
  return image;
}

}  // namespace

TEST_CASE("PNG keeps every pixel", "[encode]") {
  const Image image = noise(61, 43);
  const Image back = decode(encode_png(image, {{"recipe", "{\"prompt\": \"größer\"}"}}), "file");
  CHECK(back.pixels == image.pixels);
  CHECK(back.width == 61);
}

TEST_CASE("each format is read back with its size", "[encode]") {
  const Image image = two_halves(120, 80, {200, 30, 30}, {30, 30, 200});
  for (const Format format : {Format::Jpeg, Format::Png, Format::Webp}) {
    const Encoded encoded = encode(image, format);
    const Image back = decode(encoded.bytes, "file");
    CHECK(back.width == 120);
    CHECK(back.height == 80);
    CHECK(std::abs(back.pixels[0] - 200) < 8);
    CHECK(encode(image, format).bytes == encoded.bytes);
  }
}

TEST_CASE("a budget lowers the quality, then the chroma, and what was given up is told",
          "[encode]") {
  const Image image = noise(300, 200);
  const Encoded free = encode(image, Format::Jpeg, {.budget = 0});
  CHECK(free.quality == 88);
  const Encoded less = encode(image, Format::Jpeg, {.budget = free.bytes.size() * 85 / 100});
  CHECK(less.quality < 88);
  CHECK_FALSE(less.over_budget);
  CHECK(less.bytes.size() <= free.bytes.size() * 85 / 100);
  const Encoded least = encode(image, Format::Jpeg, {.budget = 1000});
  CHECK(least.subsampled);
  CHECK(least.over_budget);
}

TEST_CASE("what a budget took is told in words", "[encode]") {
  const Image image = noise(300, 200);
  const Encoded free = encode(image, Format::Jpeg, {.budget = 0});
  CHECK(free.given_up.empty());
  const Encoded least = encode(image, Format::Jpeg, {.budget = 1000});
  CHECK(least.given_up == "quality 70 in place of 88, 4:2:0 in place of 4:4:4");
  CHECK(encode(image, Format::Webp, {.budget = 1000}).given_up == "quality 70 in place of 88");
}

TEST_CASE("a PNG gets a palette only where that loses nothing", "[encode]") {
  const Image flat = two_halves(300, 200, {15, 27, 45}, {244, 233, 216});
  const Encoded palette = encode(flat, Format::Png);
  CHECK(palette.palette);
  CHECK(palette.bytes.size() < encode_png(flat).size());
  CHECK(decode(palette.bytes, "file").pixels == flat.pixels);
  const Image full = noise(64, 64);
  const Encoded exact = encode(full, Format::Png, {.budget = 100});
  CHECK_FALSE(exact.palette);
  CHECK(exact.over_budget);
  CHECK(decode(exact.bytes, "file").pixels == full.pixels);
}

TEST_CASE("AVIF is written, small and the same each time", "[encode]") {
  const Image image = two_halves(320, 200, {200, 30, 30}, {30, 30, 200});
  const Encoded avif = encode(image, Format::Avif, {}, {.xmp = "<x:xmpmeta/>"});
  REQUIRE(avif.bytes.size() > 12);
  CHECK(std::string(avif.bytes.begin() + 4, avif.bytes.begin() + 12) == "ftypavif");
  CHECK(avif.bytes.size() < encode(image, Format::Jpeg).bytes.size());
  CHECK(encode(image, Format::Avif, {}, {.xmp = "<x:xmpmeta/>"}).bytes == avif.bytes);
  const std::string all(avif.bytes.begin(), avif.bytes.end());
  CHECK(contains(all, "<x:xmpmeta/>"));
}

TEST_CASE("names choose the format", "[encode]") {
  CHECK(format_for("a/b.JPG") == Format::Jpeg);
  CHECK(format_for("b.webp") == Format::Webp);
  CHECK(thrown([] { format_for("b.gif"); }).cause == Cause::Usage);
}

TEST_CASE("truncated and damaged pictures are refused", "[decode]") {
  for (const Format format : {Format::Jpeg, Format::Png, Format::Webp}) {
    Bytes bytes = encode(noise(200, 150), format).bytes;
    bytes.resize(bytes.size() / 2);
    CHECK(refused(bytes) == Cause::BadInput);
    bytes.resize(8);
    CHECK(refused(bytes) == Cause::BadInput);
  }
  CHECK(refused({}) == Cause::BadInput);
}

TEST_CASE("other data behind a picture's name is refused", "[decode]") {
  const auto from = [](const std::string& text) { return Bytes(text.begin(), text.end()); };
  CHECK(refused(from("<svg xmlns=\"http://www.w3.org/2000/svg\"/>")) == Cause::BadInput);
  CHECK(refused(from("GIF89a/*<script>*/=1;")) == Cause::BadInput);
  CHECK(refused(from("%PDF-1.7\n\xff\xd8\xff")) == Cause::BadInput);
  CHECK(refused(from("#!/bin/sh\n")) == Cause::BadInput);
}

TEST_CASE("a picture of too many pixels is refused by its header", "[decode]") {
  // A PNG whose IHDR says 30000x30000: a decompression bomb, decoding it would take 2.7 GB.
  Bytes bytes = encode_png(noise(8, 8));
  const Bytes header = {'I', 'H', 'D', 'R', 0, 0, 0x75, 0x30, 0, 0, 0x75, 0x30, 8, 2, 0, 0, 0};
  std::uint32_t crc = 0xffffffffU;
  for (const std::uint8_t byte : header) {
    crc ^= byte;
    for (int k = 0; k < 8; ++k) crc = (crc & 1) != 0 ? 0xedb88320U ^ (crc >> 1) : crc >> 1;
  }
  crc ^= 0xffffffffU;
  std::copy(header.begin(), header.end(), bytes.begin() + 12);
  for (int i = 0; i < 4; ++i) bytes[29 + i] = static_cast<std::uint8_t>(crc >> (24 - 8 * i));
  const Thrown error = thrown([&] { decode(bytes, "bomb"); });
  CHECK(error.cause == Cause::BadInput);
  CHECK(contains(error.message, "30000x30000"));
}

TEST_CASE("a photo that lies on its side is turned upright", "[decode]") {
  Bytes jpeg = encode(two_halves(160, 80, {255, 0, 0}, {0, 0, 255}), Format::Jpeg).bytes;
  // EXIF with orientation 6: turn by 90 degrees clockwise to see it upright.
  const Bytes exif = {0xff, 0xe1, 0, 34, 'E', 'x', 'i', 'f', 0,    0,    'M', 'M',
                      0,    42,   0, 0,  0,   8,   0,   1,   0x01, 0x12, 0,   3,
                      0,    0,    0, 1,  0,   6,   0,   0,   0,    0,    0,   0};
  jpeg.insert(jpeg.begin() + 2, exif.begin(), exif.end());
  const Image image = decode(jpeg, "file");
  CHECK(image.width == 80);
  CHECK(image.height == 160);
  CHECK(image.pixels[0] > 200);                        // red on top
  CHECK(image.pixels[image.pixels.size() - 1] > 200);  // blue at the foot
}

}  // namespace affiche::cards::test
