// SPDX-License-Identifier: Apache-2.0
// Which part of a photograph to keep when nobody says what it is of.
#pragma once

#include <array>
#include <vips/vips8>

namespace affiche::cards {

// The middle, in fractions of `image` (sRGB or grey, 8 bits), of the crop of the shape
// width:height that keeps most of what draws the eye: edges, colours stronger than the picture's,
// skin, and what differs from its mean. What lies at a crop's edge counts less, at its top least,
// for heads are up there. One answer for all resolutions of a picture, unlike libvips' smartcrop,
// which blurs by the size of the crop and so jumps between two subjects. Thread-safe.
std::array<double, 2> salient_middle(const vips::VImage& image, double width, double height);

}  // namespace affiche::cards
