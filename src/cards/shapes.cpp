// SPDX-License-Identifier: Apache-2.0
#include "cards/shapes.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "cards/svg.h"

namespace affiche::cards {
namespace {

std::string svg_paint(const char* name, const std::optional<Colour>& colour) {
  if (!colour) return concat(" ", name, "=\"none\"");
  return concat(" ", name, "=\"", to_hex(*colour), "\" ", name, "-opacity=\"", colour->alpha, "\"");
}

void draw_path(cairo_t* context, const ShapeLayer& shape, const Box& box,
               const ShapeColours& colours, const std::string& what) {
  std::string dash;
  for (const double length : shape.dash) dash += concat(dash.empty() ? "" : ",", length);
  // The stroke is in the card's pixels, whatever the path is drawn in.
  const std::string svg = concat(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 ", shape.view[0], " ", shape.view[1],
      "\" preserveAspectRatio=\"none\"><path d=\"", shape.path, "\"",
      svg_paint("fill", colours.fill), svg_paint("stroke", colours.stroke), " stroke-width=\"",
      shape.stroke_width, "\"", dash.empty() ? "" : concat(" stroke-dasharray=\"", dash, "\""),
      " stroke-linejoin=\"round\" stroke-linecap=\"round\" "
      "vector-effect=\"non-scaling-stroke\"/></svg>");
  draw_svg(context, svg, box, what);
}

double squared(double value) {
  return value * value;
}

Colour between(const Colour& a, const Colour& b, double t) {
  const auto mix = [&](std::uint8_t from, std::uint8_t to) {
    return static_cast<std::uint8_t>(std::lround(from + (to - from) * t));
  };
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue),
          a.alpha + (b.alpha - a.alpha) * t};
}

using Position = std::function<double(double x, double y)>;

Position radial(const Box& box, double cx, double cy, double reach) {
  const double far_x = std::max(std::abs(cx - box.x), std::abs(box.right() - cx));
  const double far_y = std::max(std::abs(cy - box.y), std::abs(box.bottom() - cy));
  const double length = std::max(std::hypot(far_x, far_y) * reach, 1e-6);
  return [=](double x, double y) { return std::hypot(x - cx, y - cy) / length; };
}

// Clockwise from `degrees`, as CSS conic-gradient.
Position conic(double cx, double cy, double degrees) {
  return [=](double x, double y) {
    const double turn = std::atan2(x - cx, cy - y) / (2 * std::numbers::pi) - degrees / 360;
    return turn - std::floor(turn);
  };
}

// Shepard's inverse distance weighting with power 3, in fractions of the box.
ColourAt mesh(const Box& box, std::vector<std::pair<std::array<double, 2>, Colour>> points) {
  return [=, points = std::move(points)](double x, double y) {
    std::array<double, 4> sum{};
    double total = 0;
    for (const auto& [at, colour] : points) {
      const double distance =
          squared((x - box.x) / box.width - at[0]) + squared((y - box.y) / box.height - at[1]);
      const double weight = 1 / std::pow(distance + 1e-3, 1.5);
      total += weight;
      sum[0] += weight * colour.red;
      sum[1] += weight * colour.green;
      sum[2] += weight * colour.blue;
      sum[3] += weight * colour.alpha;
    }
    const auto part = [&](std::size_t i) {
      return static_cast<std::uint8_t>(std::clamp(sum[i] / total + 0.5, 0.0, 255.0));
    };
    return Colour{part(0), part(1), part(2), sum[3] / total};
  };
}

}  // namespace

Position along(const Box& box, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const double dx = std::sin(angle);
  const double dy = -std::cos(angle);
  const double length = std::abs(box.width * dx) + std::abs(box.height * dy);
  const double cx = box.x + box.width / 2;
  const double cy = box.y + box.height / 2;
  return [=](double x, double y) {
    return std::clamp(((x - cx) * dx + (y - cy) * dy) / length + 0.5, 0.0, 1.0);
  };
}

void set_source(cairo_t* context, const Colour& colour, double opacity) {
  cairo_set_source_rgba(context, colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0,
                        colour.alpha * opacity);
}

void rounded_path(cairo_t* context, const Box& box, double wanted_radius) {
  const double radius = std::min({wanted_radius, box.width / 2, box.height / 2});
  const double quarter = std::numbers::pi / 2;
  cairo_new_path(context);
  cairo_arc(context, box.right() - radius, box.y + radius, radius, -quarter, 0);
  cairo_arc(context, box.right() - radius, box.bottom() - radius, radius, 0, quarter);
  cairo_arc(context, box.x + radius, box.bottom() - radius, radius, quarter, 2 * quarter);
  cairo_arc(context, box.x + radius, box.y + radius, radius, 2 * quarter, 3 * quarter);
  cairo_close_path(context);
}

void ellipse_path(cairo_t* context, const Box& box) {
  cairo_save(context);
  cairo_translate(context, box.x + box.width / 2, box.y + box.height / 2);
  cairo_scale(context, box.width / 2, box.height / 2);
  cairo_new_path(context);
  cairo_arc(context, 0, 0, 1, 0, 2 * std::numbers::pi);
  cairo_restore(context);
}

void draw_shape(cairo_t* context, const ShapeLayer& shape, const Box& box,
                const ShapeColours& colours, bool mirrored, const std::string& what) {
  cairo_save(context);
  if (mirrored) {
    cairo_translate(context, 2 * box.x + box.width, 0);
    cairo_scale(context, -1, 1);
  }
  // The stroke stays inside the box, as a border does.
  const double half = colours.stroke ? shape.stroke_width / 2 : 0;
  const Box inner = {box.x + half, box.y + half, std::max(box.width - 2 * half, 0.01),
                     std::max(box.height - 2 * half, 0.01)};
  switch (shape.shape) {
    case ShapeLayer::Shape::Path:
      draw_path(context, shape, box, colours, what);
      cairo_restore(context);
      return;
    case ShapeLayer::Shape::Rectangle:
      rounded_path(context, inner, std::max(shape.radius - half, 0.0));
      break;
    case ShapeLayer::Shape::Circle: {
      const double side = std::min(inner.width, inner.height);
      ellipse_path(context, {inner.x + (inner.width - side) / 2,
                             inner.y + (inner.height - side) / 2, side, side});
      break;
    }
    case ShapeLayer::Shape::Ellipse:
      ellipse_path(context, inner);
      break;
    case ShapeLayer::Shape::Line:
      cairo_new_path(context);
      cairo_move_to(context, box.x + box.width * shape.from[0], box.y + box.height * shape.from[1]);
      cairo_line_to(context, box.x + box.width * shape.to[0], box.y + box.height * shape.to[1]);
      cairo_set_line_cap(context, CAIRO_LINE_CAP_ROUND);
      break;
  }
  if (colours.fill) {
    set_source(context, *colours.fill);
    cairo_fill_preserve(context);
  }
  if (colours.stroke) {
    set_source(context, *colours.stroke);
    cairo_set_line_width(context, shape.stroke_width);
    cairo_set_dash(context, shape.dash.data(), static_cast<int>(shape.dash.size()), 0);
    cairo_stroke_preserve(context);
  }
  cairo_new_path(context);
  cairo_restore(context);
}

ColourAt gradient_colours(const GradientLayer& gradient, const Box& box, bool mirrored,
                          const std::function<Colour(const Paint&)>& paint) {
  const auto across = [&](double x) { return mirrored ? 1 - x : x; };
  if (gradient.shape == GradientLayer::Shape::Mesh) {
    std::vector<std::pair<std::array<double, 2>, Colour>> points;
    for (const auto& point : gradient.points) {
      points.push_back({{across(point.at[0]), point.at[1]}, paint(point.colour)});
    }
    return mesh(box, std::move(points));
  }
  std::vector<std::pair<double, Colour>> stops;
  for (const auto& stop : gradient.stops) stops.emplace_back(stop.at, paint(stop.colour));
  const double cx = box.x + box.width * across(gradient.centre[0]);
  const double cy = box.y + box.height * gradient.centre[1];
  const double angle = mirrored ? -gradient.angle : gradient.angle;
  const Position position = gradient.shape == GradientLayer::Shape::Radial
                                ? radial(box, cx, cy, gradient.radius)
                            : gradient.shape == GradientLayer::Shape::Conic ? conic(cx, cy, angle)
                                                                            : along(box, angle);
  return [=, stops = std::move(stops)](double x, double y) {
    const double t = std::clamp(position(x, y), 0.0, 1.0);
    std::size_t i = 1;
    while (i + 1 < stops.size() && t > stops[i].first) ++i;
    const double span = stops[i].first - stops[i - 1].first;
    const double part = span > 0 ? (t - stops[i - 1].first) / span : 1;
    return between(stops[i - 1].second, stops[i].second, std::clamp(part, 0.0, 1.0));
  };
}

}  // namespace affiche::cards
