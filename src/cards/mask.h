// SPDX-License-Identifier: Apache-2.0
// The shapes that pictures are cut to.
#pragma once

#include "cards/canvas.h"
#include "cards/template.h"

namespace affiche::cards {

// The mask of a layer drawn at the area's size, antialiased; empty for Shape::None.
Coverage make_coverage(const Mask& mask, const Area& area, const std::string& what);

}  // namespace affiche::cards
