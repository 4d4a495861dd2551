// SPDX-License-Identifier: Apache-2.0
// The one door by which pictures from outside enter libvips. Included only by sources of cards/.
#pragma once

#include <span>
#include <string>
#include <vips/vips8>

#include "cards/encode.h"

namespace affiche::cards {

// Starts libvips once, with one thread per operation, no operation cache and no untrusted loaders.
void start_vips();

// Message of the last libvips error in this thread, on one line; clears it.
std::string vips_message();

// A view of the pixels, which must outlive it. Internal when their number is wrong.
vips::VImage borrow(const Image& image);

// A JPEG, PNG or WebP whose header was read and found within the limits; upright. `least_width` and
// `least_height` (0: full size) allow a JPEG to be decoded at 1/2, 1/4 or 1/8 as long as it still
// covers them. BadInput otherwise. The bytes must outlive the image.
struct Opened {
  vips::VImage image;
  int full_width = 0;  // upright, before any shrinking
  int full_height = 0;
};
Opened open_picture(std::span<const std::uint8_t> bytes, const std::string& what,
                    const DecodeLimits& limits, int least_width = 0, int least_height = 0);

// Of the upright picture, from its header. BadInput as open_picture().
struct PictureSize {
  int width = 0;
  int height = 0;
};
PictureSize picture_size(std::span<const std::uint8_t> bytes, const std::string& what,
                         const DecodeLimits& limits);

// To 8-bit sRGB by the embedded profile, 3 or 4 bands.
vips::VImage to_srgb(const vips::VImage& image);

// Evaluates the pixels. BadInput, with `what`, when the file turns out damaged.
Image to_image(const vips::VImage& srgb, const std::string& what);

}  // namespace affiche::cards
