// SPDX-License-Identifier: Apache-2.0
// The text-free picture that search engines want beside the card: the photo and nothing else.
#pragma once

#include "cards/compose.h"

namespace affiche::cards {

// The photo cut to width x height at the point that draws the eye. Its credit is in the file's XMP,
// in its JSON-LD and beside it, not on it. BadInput as compose(), and for a photo of which the hero
// would need more than 1.5 times the pixels that it has.
Composed make_hero(const Photo& photo, int width = 1600, int height = 900);

}  // namespace affiche::cards
