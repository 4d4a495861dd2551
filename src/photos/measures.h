// SPDX-License-Identifier: Apache-2.0
// What can be said of a photograph by its pixels alone. Pure functions, thread-safe.
#pragma once

#include <cstdint>

#include "imaging/image.h"

namespace affiche::photos {

struct Measured {
  // Difference hash (dHash, N. Krawetz 2013): 8×8 bits, each whether a pixel of the picture at 9×8
  // is brighter than its left neighbour. Survives scaling, compression and small changes of tone.
  std::uint64_t print = 0;
  // 0 blurred … 1 crisp: from the mean square of the Laplacian of the sharpest tenth of 16×16
  // tiles, so that a sharp subject before a soft ground counts as sharp.
  double focus = 0;
  // 0 … 1: falls with the share of crushed and blown-out pixels, and for means near black or white.
  double exposure = 0;
};

// RGB or RGBA of any size; looked at with its longer side at 512 pixels or less.
Measured measure(const Image& image);

// Bits that differ, 0 … 64. Up to kSamePrint: the same picture in another size or quality.
int print_distance(std::uint64_t a, std::uint64_t b);
inline constexpr int kSamePrint = 6;

}  // namespace affiche::photos
