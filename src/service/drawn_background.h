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

// The request to the shipped model: the family of forms that the brand's prompt names, else one
// that stays the same for brand and layer, in the named colours nearest to the brand's, in the
// proportions of the voice. Without model hash.
Recipe shipped_recipe(const cards::Brand& brand, const std::string& layer, std::int64_t variation);

// A drawing of the same kind, in the brand's exact colours; light, mood and empty side as the
// brand's prompt says. `prompt` is in words that draw_words() reads, colours as #RRGGBB.
Recipe drawn_recipe(const cards::Brand& brand, const std::string& layer, std::int64_t variation);

// Draws it, in a fraction of a second; the same recipe gives the same picture. RGB.
Image draw_background(const Recipe& recipe);

// Draws what the words say: "soft waves, #0F1B2D and #0FA3B1, light from the left, empty right"
// (docs/models.md lists them); what they leave open follows from the seed. RGB. Thread-safe.
Image draw_words(const std::string& words, std::int64_t seed, int width, int height);

}  // namespace affiche::service
