// SPDX-License-Identifier: Apache-2.0
// Enlarging and reducing pictures to floats.
#pragma once

#include "cards/canvas.h"
#include "imaging/image.h"

namespace affiche::cards {

// The middle of `source` (RGB or RGBA, alpha ignored), scaled so that it covers width x height.
// Mitchell-Netravali filter: soft fields keep no trace of the source's pixel grid. libvips enlarges
// floats at about a fifth of the speed.
FloatPixels cover_middle(const Image& source, int width, int height);

}  // namespace affiche::cards
