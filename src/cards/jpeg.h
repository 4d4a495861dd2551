// SPDX-License-Identifier: Apache-2.0
// Plain JPEG files straight through libjpeg-turbo, from and to the canvas' own pixels: the largest
// part of a card's time. Everything that is not plain (profiles, CMYK, turned pictures) goes
// through libvips. Thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>

#include "base/files.h"
#include "imaging/image.h"

namespace affiche::cards {

struct JpegOptions {
  int quality = 88;         // 1 to 100
  bool subsample = false;   // 4:2:0; else 4:4:4
  bool progressive = true;  // 2 to 5 % smaller, at three times the work
};

// Without any metadata: with_jpeg_metadata() adds the JFIF header too. `image`: RGB.
Bytes encode_jpeg(const Image& image, const JpegOptions& options);

struct JpegHeader {
  int width = 0;
  int height = 0;
};
// Of a plain file: 8-bit YCbCr or grey, upright, without a colour profile, so sRGB. Nothing for all
// others, damaged ones too: libvips says what they are.
std::optional<JpegHeader> plain_jpeg(std::span<const std::uint8_t> bytes);

// A part of a picture that was decoded at 1/shrink of its size.
struct JpegPart {
  int shrink = 1;  // 1, 2, 4 or 8
  int x = 0;       // of the part in the reduced picture
  int y = 0;
  int width = 0;
  int height = 0;
  int whole_width = 0;  // of the reduced picture
  int whole_height = 0;
  std::unique_ptr<std::uint32_t[]> pixels;  // 0xffRRGGBB, width * height
};
// At least the asked part of the reduced picture of a plain file; its left edge may lie further
// left. Nothing when the data up to its last row is damaged or cut short.
std::optional<JpegPart> decode_jpeg(std::span<const std::uint8_t> bytes, int shrink, int x, int y,
                                    int width, int height);

}  // namespace affiche::cards
