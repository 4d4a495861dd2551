// SPDX-License-Identifier: Apache-2.0
// Scaling of decoded photographs, by a Lanczos filter with three lobes. Thread-safe.
#pragma once

#include "cards/jpeg.h"
#include "imaging/image.h"

namespace affiche::cards {

// The box of the reduced picture that makes the target.
struct SourceBox {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
};

// RGB of the asked size. `part` holds the box and what the filter reaches beyond it; at the edges
// of the part the last pixel counts on.
Image scale_box(const JpegPart& part, const SourceBox& box, int width, int height);

// How far the filter reaches beyond a box for this step of source pixels per target pixel.
int filter_reach(double step);

}  // namespace affiche::cards
