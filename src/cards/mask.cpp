// SPDX-License-Identifier: Apache-2.0
#include "cards/mask.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "cards/shapes.h"
#include "cards/svg.h"

namespace affiche::cards {
namespace {

// The left edge leans by `slant` pixels from the bottom to the top; the others stay upright.
void slanted_path(cairo_t* context, double width, double height, double slant) {
  cairo_new_path(context);
  cairo_move_to(context, std::max(slant, 0.0), 0);
  cairo_line_to(context, width, 0);
  cairo_line_to(context, width, height);
  cairo_line_to(context, std::max(-slant, 0.0), height);
  cairo_close_path(context);
}

// Visible before `fade[0]` of the way along the CSS gradient line, hidden after `fade[1]`.
Coverage gradient_coverage(const Mask& mask, const Area& area) {
  const Box box = {0, 0, static_cast<double>(area.width), static_cast<double>(area.height)};
  const auto position = along(box, mask.angle);
  Coverage coverage;
  coverage.reserve(static_cast<std::size_t>(area.width) * area.height);
  for (int y = 0; y < area.height; ++y) {
    for (int x = 0; x < area.width; ++x) {
      const double t = (position(x + 0.5, y + 0.5) - mask.fade[0]) / (mask.fade[1] - mask.fade[0]);
      coverage.push_back(static_cast<std::uint8_t>((1 - std::clamp(t, 0.0, 1.0)) * 255 + 0.5));
    }
  }
  return coverage;
}

// The picture's lightness (times its alpha), stretched over the area; bilinear.
Coverage picture_coverage(const Image& picture, const Area& area) {
  const auto light = [&](int x, int y) {
    const std::uint8_t* p =
        picture.pixels.data() +
        static_cast<std::size_t>(std::clamp(y, 0, picture.height - 1)) * picture.stride() +
        static_cast<std::size_t>(std::clamp(x, 0, picture.width - 1)) * picture.channels;
    const double grey = 0.2126 * p[0] + 0.7152 * p[1] + 0.0722 * p[2];
    return picture.channels == 4 ? grey * p[3] / 255 : grey;
  };
  Coverage coverage;
  coverage.reserve(static_cast<std::size_t>(area.width) * area.height);
  for (int y = 0; y < area.height; ++y) {
    const double v = (y + 0.5) * picture.height / area.height - 0.5;
    const int top = static_cast<int>(std::floor(v));
    for (int x = 0; x < area.width; ++x) {
      const double u = (x + 0.5) * picture.width / area.width - 0.5;
      const int left = static_cast<int>(std::floor(u));
      const double fx = u - left;
      const double fy = v - top;
      const double value = (light(left, top) * (1 - fx) + light(left + 1, top) * fx) * (1 - fy) +
                           (light(left, top + 1) * (1 - fx) + light(left + 1, top + 1) * fx) * fy;
      coverage.push_back(static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)));
    }
  }
  return coverage;
}

Coverage drawn_coverage(const Mask& mask, const Area& area, const std::string& what) {
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
    const Box box = {0, 0, width, height};
    if (mask.shape == Mask::Shape::Rounded) rounded_path(context.get(), box, mask.radius);
    if (mask.shape == Mask::Shape::Ellipse) ellipse_path(context.get(), box);
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

}  // namespace

Coverage make_coverage(const Mask& mask, const Area& area, const std::string& what) {
  if (mask.shape == Mask::Shape::None) return {};
  Coverage coverage = mask.shape == Mask::Shape::Gradient  ? gradient_coverage(mask, area)
                      : mask.shape == Mask::Shape::Picture ? picture_coverage(*mask.picture, area)
                                                           : drawn_coverage(mask, area, what);
  if (mask.mirrored) {
    for (auto row = coverage.begin(); row != coverage.end(); row += area.width) {
      std::reverse(row, row + area.width);
    }
  }
  if (mask.invert) {
    for (std::uint8_t& value : coverage) value = static_cast<std::uint8_t>(255 - value);
  }
  return coverage;
}

}  // namespace affiche::cards
