// SPDX-License-Identifier: Apache-2.0
// Edges of a picture (J. Canny, "A computational approach to edge detection", 1986), as OpenCV's
// Canny() draws them for pictures that ControlNets were trained with: 3x3 Sobel gradients of the
// channel that changes most, their size as |dx| + |dy|, thinned, joined by hysteresis.
#pragma once

#include "imaging/image.h"

namespace affiche {

// RGB: edges white on black. `low`, `high`: gradients between them count where they touch one above
// `high`. The alpha channel is ignored. Thread-safe.
Image canny(const Image& image, int low = 100, int high = 200);

}  // namespace affiche
