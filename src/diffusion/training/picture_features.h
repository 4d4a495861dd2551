// SPDX-License-Identifier: Apache-2.0
// What a picture looks like in numbers that compare looks rather than pixels: which colours, how
// they are spread, how rough at which scale and in which direction.
#pragma once

#include <vector>

#include "imaging/image.h"

namespace affiche::diffusion {

// 24 bins of OKLab, means of a grid of 3 x 3, energies of differences at 4 scales and 4 directions.
// Independent of size and, but for the grid, of what is where. Thread-safe.
std::vector<float> picture_features(const Image& image);

// Between the means of two sets, in units of the spread that each number has within `of`. 0 for
// equal sets; Usage when one is empty.
double feature_distance(const std::vector<std::vector<float>>& of,
                        const std::vector<std::vector<float>>& to);

}  // namespace affiche::diffusion
