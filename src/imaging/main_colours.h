// SPDX-License-Identifier: Apache-2.0
// The colours that a picture mainly consists of.
#pragma once

#include <span>
#include <vector>

#include "imaging/image.h"
#include "imaging/oklab.h"

namespace affiche {

struct MainColour {
  Oklab colour;
  float share = 0;  // of the picture, 0 to 1
};

// Pixels of an even grid of at most 100 x 60, row by row. Single pixels, because the mean of a line
// and its ground is a colour that the picture does not have.
std::vector<Oklab> colour_samples(const Image& image);

// Groups of like colours, the largest first; their shares sum to 1. k-means with 8 centres in
// OKLab from fixed starts; groups closer than `least` then count as one. Always the same answer for
// the same samples. Empty for no samples.
std::vector<MainColour> main_colours(std::span<const Oklab> samples, float least = 0.12F);
inline std::vector<MainColour> main_colours(const Image& image, float least = 0.12F) {
  return main_colours(colour_samples(image), least);
}

}  // namespace affiche
