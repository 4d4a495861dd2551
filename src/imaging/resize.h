// SPDX-License-Identifier: Apache-2.0
// Resizing of 8-bit pictures bit for bit as Pillow does it, which diffusers prepares pictures with:
// a convolution with the filter stretched over the source, along rows and along columns, in
// fixed-point numbers (Pillow, src/libImaging/Resample.c). All functions are thread-safe.
#pragma once

#include "imaging/image.h"

namespace affiche {

enum class Filter { Bilinear, Bicubic, Lanczos };

// A part of a picture in pixels, right and bottom exclusive; may cut pixels or be empty.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

// Channels are filtered one by one, alpha too. BadInput unless 1 <= width, height <= 32768, the
// picture is not empty and the box lies in it.
Image resize(const Image& image, int width, int height, Filter filter);
Image resize(const Image& image, int width, int height, Filter filter, const Box& box);

// Whole pixels; what lies outside of the picture is black, as in Pillow's Image.crop.
Image crop(const Image& image, int left, int top, int right, int bottom);

// Copies `part` to (left, top) of `image`; what lies outside is cut. Both have the same channels.
void paste(Image& image, const Image& part, int left, int top);

// Without its alpha channel.
Image to_rgb(const Image& image);

// Rec. 601 luma of 16-bit fixed-point weights, as Pillow's convert("L"): one byte per pixel.
std::vector<std::uint8_t> to_luma(const Image& image);

}  // namespace affiche
