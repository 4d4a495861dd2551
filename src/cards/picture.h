// SPDX-License-Identifier: Apache-2.0
// Photographs, cut and scaled to cover an area. Thread-safe.
#pragma once

#include "cards/canvas.h"
#include "cards/template.h"
#include "imaging/photo.h"

namespace affiche::cards {

struct CoverPhoto {
  Image image;             // RGB, of the asked size
  bool cropped = false;    // part of the photo is outside
  double enlargement = 1;  // above 1: the photo has fewer pixels than the area
};

// BadInput for photos that decode() refuses.
CoverPhoto cover(const Photo& photo, int width, int height, const PhotoLayer& layer);

}  // namespace affiche::cards
