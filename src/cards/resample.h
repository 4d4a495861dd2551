// SPDX-License-Identifier: Apache-2.0
// Enlarging and reducing pictures to floats.
#pragma once

#include "cards/canvas.h"
#include "imaging/image.h"

namespace affiche::cards {

// `source` (RGB or RGBA, alpha ignored) scaled to `zoom` times what covers width x height, cut so
// that the point at the fractions `focus_x`, `focus_y` is as central as the source allows.
// Mitchell-Netravali filter: soft fields keep no trace of the source's pixel grid. libvips enlarges
// floats at about a fifth of the speed.
FloatPixels resample_to_cover(const Image& source, int width, int height, double zoom,
                              double focus_x, double focus_y);

}  // namespace affiche::cards
