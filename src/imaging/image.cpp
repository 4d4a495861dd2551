// SPDX-License-Identifier: Apache-2.0
#include "imaging/image.h"

#include "base/error.h"

namespace affiche {

Image make_image(int width, int height, int channels) {
  constexpr int kMaxSide = 32768;
  if (width < 1 || height < 1 || width > kMaxSide || height > kMaxSide) {
    fail(Cause::BadInput, "image size ", width, "x", height, ": expected 1 to ", kMaxSide,
         " pixels a side");
  }
  if (channels != 3 && channels != 4) {
    fail(Cause::BadInput, "image with ", channels, " channels: expected 3 or 4");
  }
  Image image{width, height, channels, {}};
  image.pixels.resize(static_cast<std::size_t>(width) * height * channels);
  return image;
}

}  // namespace affiche
