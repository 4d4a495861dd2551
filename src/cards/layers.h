// SPDX-License-Identifier: Apache-2.0
// Drawing of each kind of layer on the canvas.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "cards/canvas.h"
#include "cards/picture.h"
#include "cards/placing.h"

namespace affiche::cards {

// What the drawing needs beside the job, prepared before the first pixel.
struct Prepared {
  std::map<std::string, std::shared_ptr<const CoverPhoto>> photos;  // by layer name
  Placement place;
};

// Draws the job's layers and groups in order and reports them in `result`. Texts get the contrast
// they need: if the picture under them does not give it, a soft shade is laid under the lines.
// Refused (credit) or BadInput (text) when not even that helps.
void draw_layers(const CardJob& job, const Prepared& prepared, Canvas& canvas, Composed& result);

}  // namespace affiche::cards
