// SPDX-License-Identifier: Apache-2.0
// Which pixels of the card a text's glyphs are seen against.
#pragma once

#include <memory>
#include <vector>

#include "cards/canvas.h"
#include "cards/text.h"

namespace affiche::cards {

// The pixels of the glyphs of one colour and two around them.
struct Inked {
  Colour colour;
  std::vector<Run> runs;  // by rows, from left to right, on the canvas
};

// Of a text whose block begins at x, y of a canvas of this size, drawn in `colour`; marked words
// (<mark>) have their own. The last answer for a text is kept with it and its copies, which belong
// to one thread.
std::shared_ptr<const std::vector<Inked>> inked_pixels(const FittedText& text, double x, double y,
                                                       const Colour& colour, int width, int height);

}  // namespace affiche::cards
