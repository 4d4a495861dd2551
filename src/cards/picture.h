// SPDX-License-Identifier: Apache-2.0
// Photographs, cut and scaled to cover an area. Thread-safe.
#pragma once

#include <array>
#include <optional>
#include <vector>

#include "cards/canvas.h"
#include "cards/template.h"
#include "imaging/photo.h"

namespace affiche::cards {

struct CoverPhoto {
  Image image;             // RGB, of the asked size; of at most that where the layer contains it
  bool cropped = false;    // part of the photo is outside
  double enlargement = 1;  // above 1: the photo has fewer pixels than the area
};

// What is known of the place beside the layer's own keys.
struct PhotoPlace {
  std::optional<std::array<double, 2>> focus;  // the job's: fractions of the upright photo
  std::vector<Box> taken;                      // by words, logo and credit: fractions of the area
};

// Whether covering (or being contained by) an area of this size leaves part of the photo out.
// BadInput for photos that decode() refuses.
bool is_cropped(const Photo& photo, int width, int height, const PhotoLayer& layer);

// The subject stays visible: the job's focus, else the layer's point, else what the photo's own
// metadata say, else what draws the eye. BadInput for photos that decode() refuses.
CoverPhoto cover(const Photo& photo, int width, int height, const PhotoLayer& layer,
                 const PhotoPlace& place = {});

}  // namespace affiche::cards
