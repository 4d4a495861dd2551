// SPDX-License-Identifier: Apache-2.0
// Backgrounds without the brand's own model: what is asked of the shipped one, and what code draws
// when that is missing too. Both wear the brand's colours.
#pragma once

#include <cstdint>
#include <string>

#include "cards/brand.h"
#include "imaging/image.h"
#include "imaging/recipe.h"

namespace affiche::service {

// Recipe::model of a picture that code drew. Metadata count on it: such a picture is not AI-made.
inline constexpr const char* kDrawn = "drawn";

// The request to the shipped model: a family of forms that stays the same for a brand and layer, in
// the named colours nearest to the brand's, in the proportions of the voice. Without model hash.
Recipe shipped_recipe(const cards::Brand& brand, const std::string& layer, std::int64_t variation);

// The same forms as a drawing, with `prompt` in words: family and colours as #RRGGBB.
Recipe drawn_recipe(const cards::Brand& brand, const std::string& layer, std::int64_t variation);

// Draws it. RGB, 1200 pixels wide or as high, in a fraction of a second; the same recipe gives the
// same picture. `recipe` is drawn_recipe()'s of this brand and layer.
Image draw_background(const cards::Brand& brand, const std::string& layer, const Recipe& recipe);

}  // namespace affiche::service
