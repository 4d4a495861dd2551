// SPDX-License-Identifier: Apache-2.0
#include "cards/mask.h"

#include <algorithm>
#include <numbers>

#include "base/error.h"
#include "cards/svg.h"

namespace affiche::cards {
namespace {

void rounded_path(cairo_t* context, double width, double height, double wanted_radius) {
  const double radius = std::min({wanted_radius, width / 2, height / 2});
  const double quarter = std::numbers::pi / 2;
  cairo_new_path(context);
  cairo_arc(context, width - radius, radius, radius, -quarter, 0);
  cairo_arc(context, width - radius, height - radius, radius, 0, quarter);
  cairo_arc(context, radius, height - radius, radius, quarter, 2 * quarter);
  cairo_arc(context, radius, radius, radius, 2 * quarter, 3 * quarter);
  cairo_close_path(context);
}

// The left edge leans by `slant` pixels from the bottom to the top; the others stay upright.
void slanted_path(cairo_t* context, double width, double height, double slant) {
  cairo_new_path(context);
  cairo_move_to(context, std::max(slant, 0.0), 0);
  cairo_line_to(context, width, 0);
  cairo_line_to(context, width, height);
  cairo_line_to(context, std::max(-slant, 0.0), height);
  cairo_close_path(context);
}

void ellipse_path(cairo_t* context, double width, double height) {
  cairo_save(context);
  cairo_scale(context, width / 2, height / 2);
  cairo_new_path(context);
  cairo_arc(context, 1, 1, 1, 0, 2 * std::numbers::pi);
  cairo_restore(context);
}

}  // namespace

Coverage make_coverage(const Mask& mask, const Area& area, const std::string& what) {
  if (mask.shape == Mask::Shape::None) return {};
  const SurfacePtr surface(
      cairo_image_surface_create(CAIRO_FORMAT_ARGB32, area.width, area.height));
  const CairoPtr context(cairo_create(surface.get()));
  if (cairo_status(context.get()) != CAIRO_STATUS_SUCCESS) {
    fail(Cause::Unavailable, what, ": no memory for a mask of ", area.width, "x", area.height);
  }
  const double width = area.width;
  const double height = area.height;
  if (mask.shape == Mask::Shape::Svg) {
    draw_svg(context.get(), mask.svg, {0, 0, width, height}, what);
  } else {
    if (mask.shape == Mask::Shape::Rounded) rounded_path(context.get(), width, height, mask.radius);
    if (mask.shape == Mask::Shape::Ellipse) ellipse_path(context.get(), width, height);
    if (mask.shape == Mask::Shape::Slanted) slanted_path(context.get(), width, height, mask.slant);
    cairo_set_source_rgb(context.get(), 1, 1, 1);
    cairo_fill(context.get());
  }
  cairo_surface_flush(surface.get());
  Coverage coverage(static_cast<std::size_t>(area.width) * area.height);
  const std::uint8_t* data = cairo_image_surface_get_data(surface.get());
  const int stride = cairo_image_surface_get_stride(surface.get());
  for (int y = 0; y < area.height; ++y) {
    for (int x = 0; x < area.width; ++x) {
      // Native-endian ARGB words: the alpha byte is the fourth on little-endian machines.
      coverage[static_cast<std::size_t>(y) * area.width + x] =
          data[static_cast<std::ptrdiff_t>(y) * stride + static_cast<std::ptrdiff_t>(x) * 4 + 3];
    }
  }
  return coverage;
}

}  // namespace affiche::cards
