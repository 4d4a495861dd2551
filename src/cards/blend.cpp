// SPDX-License-Identifier: Apache-2.0
// Blend modes of W3C Compositing and Blending Level 1, sections 10.1 (separable) and 10.2.
#include <algorithm>
#include <array>
#include <cmath>

#include "cards/effects.h"

namespace affiche::cards {
namespace {

using Rgb = std::array<float, 3>;

float luminosity(const Rgb& c) {
  return 0.3F * c[0] + 0.59F * c[1] + 0.11F * c[2];
}

Rgb clip_colour(Rgb c) {
  const float l = luminosity(c);
  const float low = std::min({c[0], c[1], c[2]});
  const float high = std::max({c[0], c[1], c[2]});
  for (float& v : c) {
    if (low < 0) v = l + (v - l) * l / (l - low);
    if (high > 1) v = l + (v - l) * (1 - l) / (high - l);
  }
  return c;
}

Rgb with_luminosity(const Rgb& c, float wanted) {
  const float d = wanted - luminosity(c);
  return clip_colour({c[0] + d, c[1] + d, c[2] + d});
}

float saturation(const Rgb& c) {
  return std::max({c[0], c[1], c[2]}) - std::min({c[0], c[1], c[2]});
}

Rgb with_saturation(const Rgb& c, float wanted) {
  const float low = std::min({c[0], c[1], c[2]});
  const float range = saturation(c);
  if (range <= 0) return {0, 0, 0};
  return {(c[0] - low) * wanted / range, (c[1] - low) * wanted / range,
          (c[2] - low) * wanted / range};
}

float hard_light(float below, float above) {
  return above <= 0.5F ? below * 2 * above : below + (2 * above - 1) - below * (2 * above - 1);
}

float soft_light(float below, float above) {
  if (above <= 0.5F) return below - (1 - 2 * above) * below * (1 - below);
  const float d = below <= 0.25F ? ((16 * below - 12) * below + 4) * below : std::sqrt(below);
  return below + (2 * above - 1) * (d - below);
}

float separable(Blend blend, float below, float above) {
  switch (blend) {
    case Blend::Multiply:
      return below * above;
    case Blend::Screen:
      return below + above - below * above;
    case Blend::Overlay:
      return hard_light(above, below);
    case Blend::Darken:
      return std::min(below, above);
    case Blend::Lighten:
      return std::max(below, above);
    case Blend::ColourDodge:
      return below <= 0 ? 0 : above >= 1 ? 1 : std::min(1.0F, below / (1 - above));
    case Blend::ColourBurn:
      return below >= 1 ? 1 : above <= 0 ? 0 : 1 - std::min(1.0F, (1 - below) / above);
    case Blend::HardLight:
      return hard_light(below, above);
    case Blend::SoftLight:
      return soft_light(below, above);
    case Blend::Difference:
      return std::abs(below - above);
    case Blend::Exclusion:
      return below + above - 2 * below * above;
    default:
      return above;
  }
}

Rgb blended(Blend blend, const Rgb& below, const Rgb& above) {
  switch (blend) {
    case Blend::Hue:
      return with_luminosity(with_saturation(above, saturation(below)), luminosity(below));
    case Blend::Saturation:
      return with_luminosity(with_saturation(below, saturation(above)), luminosity(below));
    case Blend::Colour:
      return with_luminosity(above, luminosity(below));
    case Blend::Luminosity:
      return with_luminosity(below, luminosity(above));
    default:
      return {separable(blend, below[0], above[0]), separable(blend, below[1], above[1]),
              separable(blend, below[2], above[2])};
  }
}

// Straight colour of a premultiplied pixel; black where there is none.
Rgb straight(const std::uint8_t* pixel, float alpha) {
  if (alpha <= 0) return {0, 0, 0};
  const float scale = 1 / (255 * alpha);
  return {std::min(1.0F, pixel[2] * scale), std::min(1.0F, pixel[1] * scale),
          std::min(1.0F, pixel[0] * scale)};
}

}  // namespace

void lay(Canvas& below, const Canvas& layer, Blend blend, double opacity) {
  cairo_surface_flush(below.surface());
  cairo_surface_flush(layer.surface());
  const auto share = static_cast<float>(opacity);
  for (int y = 0; y < below.height(); ++y) {
    std::uint8_t* under = below.row(y);
    const std::uint8_t* over = layer.row(y);
    for (int x = 0; x < below.width(); ++x, under += 4, over += 4) {
      if (over[3] == 0) continue;
      const float above_alpha = over[3] / 255.0F * share;
      const float below_alpha = below.transparent() ? under[3] / 255.0F : 1.0F;
      const float alpha = above_alpha + below_alpha - above_alpha * below_alpha;
      Rgb mix{};
      if (blend != Blend::Normal) {
        mix = blended(blend, straight(under, below_alpha), straight(over, over[3] / 255.0F));
      }
      for (std::size_t c = 0; c < 3; ++c) {
        const float source = over[2 - c] * share;
        float value = under[2 - c] * (1 - above_alpha);
        // co = cs (1 - ab) + cb (1 - as) + as ab B(cb, cs), with premultiplied cs and cb.
        value += blend == Blend::Normal
                     ? source
                     : source * (1 - below_alpha) + 255 * above_alpha * below_alpha * mix[c];
        under[2 - c] = static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255 * alpha));
      }
      under[3] = static_cast<std::uint8_t>(255 * alpha + 0.5F);
    }
  }
  cairo_surface_mark_dirty(below.surface());
}

}  // namespace affiche::cards
