// SPDX-License-Identifier: Apache-2.0
// Drawn chrome, masks and logos. SVG is trusted only after check_svg(): an allow-list of elements,
// so that neither scripts nor entities nor anything outside the file can take part. Thread-safe.
#pragma once

#include <cairo.h>

#include <functional>
#include <string>

#include "cards/colour.h"
#include "cards/template.h"

namespace affiche::cards {

// BadInput, with `what` and the line, for: other elements than shapes, paths, gradients, clips,
// masks and groups; event attributes; references that do not begin with '#'; document types,
// processing instructions and entities; style sheets; text (fonts would differ between hosts: use
// paths).
void check_svg(const std::string& svg, const std::string& what);

// Replaces {{brand.accent}} and the like by "#rrggbb". `find` throws for unknown names.
std::string recolour(const std::string& svg,
                     const std::function<Colour(const std::string& name)>& find,
                     const std::string& what);

// Width divided by height, from viewBox or width and height. BadInput when it has neither.
double svg_aspect(const std::string& svg, const std::string& what);

// Draws checked SVG into `box` by its preserveAspectRatio.
void draw_svg(cairo_t* context, const std::string& svg, const Box& box, const std::string& what);

}  // namespace affiche::cards
