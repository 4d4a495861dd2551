// SPDX-License-Identifier: Apache-2.0
// Pictures with a few words under each, on one sheet, for people who choose or check. Thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "imaging/image.h"

namespace affiche::cards {

struct SheetCell {
  std::optional<Image> picture;  // RGB or RGBA of any size; none: an empty place
  std::string mark;              // in the coloured strip: "1 kept", "refused: noncommercial"
  bool good = true;              // green strip, or red
  std::string heading;           // at most two lines, then cut
  std::string text;              // paragraphs; as many lines as they need, and the row grows
};

// 320 pixels a cell, `columns` of them, rows as high as their longest text. BadInput for texts that
// are not UTF-8, for no cell, and for a sheet beyond 32768 pixels.
Image contact_sheet(const std::string& title, std::span<const SheetCell> cells, int columns = 4);

}  // namespace affiche::cards
