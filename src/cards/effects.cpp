// SPDX-License-Identifier: Apache-2.0
#include "cards/effects.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "cards/mask.h"
#include "cards/shapes.h"

namespace affiche::cards {
namespace {

// Straight RGB of a premultiplied pixel, 0 to 1.
using Rgb = std::array<float, 3>;

std::uint8_t level(float value) {
  return static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
}

float grey(const Rgb& c) {
  return 0.2126F * c[0] + 0.7152F * c[1] + 0.0722F * c[2];
}

// Changes the colour of every pixel that is there; alpha stays.
template <typename Change>
void recolour_pixels(Canvas& canvas, Change&& change) {
  for (int y = 0; y < canvas.height(); ++y) {
    std::uint8_t* pixel = canvas.row(y);
    for (int x = 0; x < canvas.width(); ++x, pixel += 4) {
      const float alpha = pixel[3];
      if (alpha == 0) continue;
      const Rgb changed = change(Rgb{pixel[2] / alpha, pixel[1] / alpha, pixel[0] / alpha}, x, y);
      for (std::size_t c = 0; c < 3; ++c) {
        pixel[2 - c] = std::min(level(std::clamp(changed[c], 0.0F, 1.0F) * alpha), pixel[3]);
      }
    }
  }
}

Rgb rgb_of(const Colour& colour) {
  return {static_cast<float>(colour.red) / 255.0F, static_cast<float>(colour.green) / 255.0F,
          static_cast<float>(colour.blue) / 255.0F};
}

Rgb mixed(const Rgb& a, const Rgb& b, float amount) {
  return {a[0] + (b[0] - a[0]) * amount, a[1] + (b[1] - a[1]) * amount,
          a[2] + (b[2] - a[2]) * amount};
}

void apply_colours(Canvas& canvas, const Effects& effects, const EffectPlace& place) {
  if (effects.duotone) {
    const Rgb dark = rgb_of(place.paint(effects.duotone->dark));
    const Rgb light = rgb_of(place.paint(effects.duotone->light));
    const auto amount = static_cast<float>(effects.duotone->amount);
    recolour_pixels(canvas, [&](const Rgb& c, int, int) {
      return mixed(c, mixed(dark, light, grey(c)), amount);
    });
  }
  if (effects.tint) {
    const Colour colour = place.paint(effects.tint->colour);
    const auto amount = static_cast<float>(effects.tint->amount * colour.alpha);
    const Rgb tint = rgb_of(colour);
    recolour_pixels(canvas, [&](const Rgb& c, int, int) { return mixed(c, tint, amount); });
  }
  if (effects.grain > 0) {
    const auto strength = static_cast<float>(effects.grain / 255);
    recolour_pixels(canvas, [&](const Rgb& c, int x, int y) {
      const float noise = grain_at(x, y) * strength;
      return Rgb{c[0] + noise, c[1] + noise, c[2] + noise};
    });
  }
}

// Keeps what the coverage of the area shows; all outside of the area goes.
void apply_coverage(Canvas& canvas, const Area& area, const Coverage& coverage) {
  for (int y = 0; y < canvas.height(); ++y) {
    std::uint8_t* pixel = canvas.row(y);
    const bool row_inside = y >= area.y && y < area.y + area.height;
    for (int x = 0; x < canvas.width(); ++x, pixel += 4) {
      const bool inside = row_inside && x >= area.x && x < area.x + area.width;
      const int cover =
          inside ? coverage[static_cast<std::size_t>(y - area.y) * area.width + (x - area.x)] : 0;
      if (cover == 255) continue;
      for (int c = 0; c < 4; ++c) {
        pixel[c] = static_cast<std::uint8_t>((pixel[c] * cover + 127) / 255);
      }
    }
  }
}

Mask rounded_mask(double radius) {
  Mask mask;
  mask.shape = Mask::Shape::Rounded;
  mask.radius = radius;
  return mask;
}

void apply_border(Canvas& canvas, const Effects& effects, const EffectPlace& place) {
  const Colour colour = place.paint(effects.border->colour);
  const double width = effects.border->width;
  const Box& box = place.box;
  const Box inner = {box.x + width / 2, box.y + width / 2, std::max(box.width - width, 0.1),
                     std::max(box.height - width, 0.1)};
  cairo_t* context = canvas.context();
  cairo_save(context);
  Mask outline = place.outline.shape != Mask::Shape::None ? place.outline : effects.mask;
  if (effects.radius > 0) outline = rounded_mask(effects.radius);
  if (outline.shape == Mask::Shape::Ellipse) {
    ellipse_path(context, inner);
  } else {
    const double radius = outline.shape == Mask::Shape::Rounded ? outline.radius - width / 2 : 0;
    rounded_path(context, inner, std::max(radius, 0.0));
  }
  cairo_set_line_width(context, width);
  set_source(context, colour);
  cairo_stroke(context);
  cairo_restore(context);
}

Canvas shadow_of(const Canvas& canvas, const Effects::Shadow& shadow, const Colour& colour,
                 bool mirrored) {
  Canvas result(canvas.width(), canvas.height(), Canvas::Ground::Transparent);
  cairo_t* context = result.context();
  set_source(context, colour);
  cairo_mask_surface(context, canvas.surface(), mirrored ? -shadow.x : shadow.x, shadow.y);
  cairo_surface_flush(result.surface());
  blur(result, shadow.blur / 2);
  return result;
}

}  // namespace

Canvas rotated(const Canvas& canvas, const Box& box, double degrees) {
  Canvas result(canvas.width(), canvas.height(), Canvas::Ground::Transparent);
  cairo_t* context = result.context();
  const double x = box.x + box.width / 2;
  const double y = box.y + box.height / 2;
  cairo_translate(context, x, y);
  cairo_rotate(context, degrees * std::numbers::pi / 180);
  cairo_translate(context, -x, -y);
  cairo_set_source_surface(context, canvas.surface(), 0, 0);
  cairo_pattern_set_filter(cairo_get_source(context), CAIRO_FILTER_GOOD);
  cairo_paint(context);
  cairo_identity_matrix(context);
  cairo_surface_flush(canvas.surface());
  return result;
}

Canvas with_effects(Canvas&& layer, const Effects& effects, const EffectPlace& place) {
  cairo_surface_flush(layer.surface());
  if (effects.blur > 0) blur(layer, effects.blur);
  apply_colours(layer, effects, place);
  const Area area = whole_pixels(place.box);
  Mask mask = effects.mask;
  if (effects.radius > 0) mask = rounded_mask(effects.radius);
  mask.mirrored = place.mirrored;
  if (mask.shape != Mask::Shape::None) {
    apply_coverage(layer, area, make_coverage(mask, area, place.what));
  }
  cairo_surface_mark_dirty(layer.surface());
  if (effects.border) apply_border(layer, effects, place);
  if (effects.rotate == 0) return std::move(layer);
  return rotated(layer, place.box, place.mirrored ? -effects.rotate : effects.rotate);
}

void lay_shadow(Canvas& below, const Canvas& finished, const Effects& effects,
                const EffectPlace& place, double opacity) {
  if (!effects.shadow) return;
  const Colour colour = place.paint(effects.shadow->colour);
  lay(below, shadow_of(finished, *effects.shadow, colour, place.mirrored), Blend::Normal, opacity);
}

void lay_with_effects(Canvas& below, Canvas&& layer, const Effects& effects,
                      const EffectPlace& place, double opacity) {
  const Canvas finished = with_effects(std::move(layer), effects, place);
  lay_shadow(below, finished, effects, place, opacity);
  lay(below, finished, effects.blend, opacity);
}

namespace {

// One box pass along a line of `count` pixels, `step` bytes apart, 2·radius + 1 wide.
void box_line(std::uint8_t* line, std::ptrdiff_t step, int count, int radius,
              std::vector<std::uint8_t>& copy) {
  copy.resize(static_cast<std::size_t>(count) * 4);
  for (int i = 0; i < count; ++i) {
    std::copy_n(line + i * step, 4, copy.data() + static_cast<std::ptrdiff_t>(i) * 4);
  }
  const auto at = [&](int i, int c) -> int {
    return copy[static_cast<std::size_t>(std::clamp(i, 0, count - 1)) * 4 +
                static_cast<std::size_t>(c)];
  };
  const int width = 2 * radius + 1;
  for (int c = 0; c < 4; ++c) {
    int sum = 0;
    for (int i = -radius; i <= radius; ++i) sum += at(i, c);
    for (int i = 0; i < count; ++i) {
      line[i * step + c] = static_cast<std::uint8_t>((sum + width / 2) / width);
      sum += at(i + radius + 1, c) - at(i - radius, c);
    }
  }
}

}  // namespace

void blur(Canvas& canvas, double sigma) {
  if (sigma < 0.2) return;
  cairo_surface_flush(canvas.surface());
  // The width of n boxes with the variance of the Gaussian: sqrt(12 σ² / n + 1).
  const int width = static_cast<int>(std::sqrt(12 * sigma * sigma / 3 + 1));
  const int radius = std::max(1, width / 2);
  std::vector<std::uint8_t> copy;
  const std::ptrdiff_t stride = canvas.row(1) - canvas.row(0);
  for (int pass = 0; pass < 3; ++pass) {
    for (int y = 0; y < canvas.height(); ++y) {
      box_line(canvas.row(y), 4, canvas.width(), radius, copy);
    }
    for (int x = 0; x < canvas.width(); ++x) {
      box_line(canvas.row(0) + static_cast<std::ptrdiff_t>(x) * 4, stride, canvas.height(), radius,
               copy);
    }
  }
  cairo_surface_mark_dirty(canvas.surface());
}

}  // namespace affiche::cards
