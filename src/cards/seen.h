// SPDX-License-Identifier: Apache-2.0
// Words on a canvas that effects still change: their contrast as it is seen on the finished card.
#pragma once

#include <string>
#include <vector>

#include "cards/canvas.h"
#include "cards/effects.h"
#include "cards/placing.h"

namespace affiche::cards {

// How the canvas of a layer or group comes onto the one below it.
struct Laying {
  Canvas* below = nullptr;
  const Effects* effects = nullptr;
  EffectPlace place;
  double opacity = 1;
  std::string name;  // for errors: group "NAME"
};
// From the canvas that is drawn on outwards; the last one lays onto the card. None: it is the card.
using Layings = std::vector<Laying>;

// The lowest WCAG contrast between the text, if it were drawn on `canvas` now, and what is around
// its glyphs, after all layings. Where a mask hides the words or the canvas ends it is 1. Blurred
// glyphs count where they are strongest, as the eye reads them.
double contrast_as_seen(const Canvas& canvas, const Layings& layings, const PlacedText& text);

}  // namespace affiche::cards
