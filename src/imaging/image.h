// SPDX-License-Identifier: Apache-2.0
// Pixels as the engines exchange them: no type of libtorch or libvips crosses this border.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace affiche {

// 8-bit sRGB, interleaved, rows from top to bottom without padding; 3 channels RGB or 4 RGBA with
// straight alpha. pixels.size() == width * height * channels.
struct Image {
  int width = 0;
  int height = 0;
  int channels = 3;
  std::vector<std::uint8_t> pixels;

  bool empty() const { return pixels.empty(); }
  std::size_t stride() const { return static_cast<std::size_t>(width) * channels; }
};

// Makes a black image. Throws BadInput unless 1 <= width, height <= 32768 and channels is 3 or 4.
Image make_image(int width, int height, int channels);

}  // namespace affiche
