// SPDX-License-Identifier: Apache-2.0
// Drawn shapes, gradients and codes.
#pragma once

#include <cairo.h>

#include <functional>
#include <optional>
#include <string>

#include "cards/colour.h"
#include "cards/template.h"

namespace affiche::cards {

void set_source(cairo_t* context, const Colour& colour, double opacity = 1);
// New paths of the context.
void rounded_path(cairo_t* context, const Box& box, double radius);
void ellipse_path(cairo_t* context, const Box& box);

struct ShapeColours {
  std::optional<Colour> fill;
  std::optional<Colour> stroke;
};
// `mirrored`: left and right of the box change places.
void draw_shape(cairo_t* context, const ShapeLayer& shape, const Box& box,
                const ShapeColours& colours, bool mirrored, const std::string& what);

// How far a place of the card is along the CSS gradient line of the box: 0 at its start, 1 at its
// end, clamped.
std::function<double(double x, double y)> along(const Box& box, double degrees);

// The colour at a place of the card.
using ColourAt = std::function<Colour(double x, double y)>;
ColourAt gradient_colours(const GradientLayer& gradient, const Box& box, bool mirrored,
                          const std::function<Colour(const Paint&)>& paint);

// A QR code (ISO/IEC 18004) as large as whole pixels per module allow, in the middle of the box.
// BadInput when it needs more pixels than the box has, or when its colours are too close for
// readers: the contrast must be 4:1 with the dark modules darker.
void draw_qr(cairo_t* context, const QrLayer& code, const std::string& content, const Box& box,
             const Colour& dark, const Colour& light, const std::string& what);

}  // namespace affiche::cards
