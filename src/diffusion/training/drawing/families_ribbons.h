// SPDX-License-Identifier: Apache-2.0
// Families of bands that cross the picture: cloth, glass, chrome.
#pragma once

#include <array>

#include "diffusion/training/drawing/brush.h"

namespace affiche::diffusion {

// A band around a swinging middle line. across(): -1 to 1 inside.
struct Band {
  float place = 0, width = 0.1F, rate = 2, phase = 0, swing = 0.1F;
  Lab colour, other;

  struct Place {
    float across, half, slope;  // half: its width in the plane
  };
  Place at(float u, float v) const {
    const float angle = rate * u + phase;
    const float middle = place + swing * std::sin(angle) + 0.3F * swing * std::sin(1.9F * angle);
    const float half = width * (0.68F + 0.32F * std::sin(1.3F * rate * u - phase));
    const float slope = swing * rate * (std::cos(angle) + 0.57F * std::cos(1.9F * angle));
    return {(v - middle) / half, half, slope};
  }
};

// Softens a band's edge over a pixel, also where it runs steeply.
inline float inside(const Band::Place& p, float pixel) {
  const float away = (std::fabs(p.across) - 1) * p.half / std::sqrt(1 + p.slope * p.slope);
  return coverage(away, pixel);
}

template <std::size_t Count>
std::array<Band, Count> random_bands(const Setting& s, Random& random, float least, float most) {
  std::array<Band, Count> bands{};
  for (std::size_t i = 0; i < Count; ++i) {
    const float t = (static_cast<float>(i) + 0.5F) / Count - 0.5F;
    bands[i] = {0.8F * t + random.between(-0.12F, 0.12F), random.between(least, most) * s.scale,
                random.between(1.5F, 3.2F) / s.scale,     random.between(0, 6.28F),
                random.between(0.06F, 0.17F) * s.scale,   i % 2 == 0 ? s.second : s.third,
                i % 2 == 0 ? s.third : s.second};
  }
  return bands;
}

// Bands of cloth, shaded across their width, with a soft shadow beneath.
class FlowingRibbons : public FamilyTraits {
 public:
  FlowingRibbons(const Setting& setting, Random& random)
      : s_(setting),
        turn_(random.between(-0.6F, 0.6F)),
        bands_(random_bands<5>(s_, random, 0.06F, 0.13F)) {}
  Lab operator()(float x, float y) const {
    const float u = turn_.along(x, y), v = turn_.across(x, y);
    Lab colour = s_.ground;
    for (const Band& band : bands_) {
      const Band::Place p = band.at(u, v);
      const float over = (std::fabs(p.across) - 1) * p.half;
      if (over > 0.09F) continue;
      colour = lighter(colour, -0.09F * smoothstep(0.09F, 0, over));
      const float fold = std::sin(3.1F * p.across + 1.3F * std::sin(0.8F * band.rate * u));
      const Lab cloth = lighter(mix(band.colour, band.other, 0.16F + 0.16F * p.across),
                                0.075F * fold - 0.06F * p.across * p.across);
      colour = mix(colour, cloth, inside(p, s_.pixel));
    }
    return colour;
  }

 private:
  Setting s_;
  Turn turn_;
  std::array<Band, 5> bands_;
};

// Clear bands: thin in the middle, dense and bright at their edges, with a line of light.
class GlassRibbons : public FamilyTraits {
 public:
  GlassRibbons(const Setting& setting, Random& random)
      : s_(setting),
        turn_(random.between(-0.8F, 0.8F)),
        bands_(random_bands<4>(s_, random, 0.11F, 0.22F)) {}
  Lab operator()(float x, float y) const {
    const float u = turn_.along(x, y), v = turn_.across(x, y);
    Lab colour = lighter(s_.ground, 0.05F * (u / s_.half_width));
    for (const Band& band : bands_) {
      const Band::Place p = band.at(u, v);
      if (std::fabs(p.across) > 1 + 2 * s_.pixel / p.half) continue;
      const float a = p.across, rim = a * a * a * a;
      const Lab glass =
          lighter(mix(band.colour, band.other, 0.5F + 0.4F * std::sin(2 * u + band.phase)),
                  0.05F - 0.04F * a);
      const float shine = std::exp(-90 * (a + 0.72F) * (a + 0.72F)) +
                          0.5F * std::exp(-40 * (a - 0.84F) * (a - 0.84F));
      Lab seen = mix(colour, glass, 0.34F + 0.5F * rim);
      seen = lighter(seen, 0.11F * shine);
      colour = mix(colour, seen, inside(p, s_.pixel));
    }
    return colour;
  }

 private:
  Setting s_;
  Turn turn_;
  std::array<Band, 4> bands_;
};

// Polished tubes that mirror a sky, a bright horizon and a dark floor.
class ChromeRibbons : public FamilyTraits {
 public:
  ChromeRibbons(const Setting& setting, Random& random)
      : s_(setting),
        turn_(random.between(-0.7F, 0.7F)),
        bands_(random_bands<4>(s_, random, 0.06F, 0.13F)) {}
  Lab operator()(float x, float y) const {
    const float u = turn_.along(x, y), v = turn_.across(x, y);
    Lab colour = lighter(s_.ground, -0.06F * (y + 0.1F));
    for (const Band& band : bands_) {
      const Band::Place p = band.at(u, v);
      const float over = (std::fabs(p.across) - 1) * p.half;
      if (over > 0.1F) continue;
      colour = lighter(colour, -0.12F * smoothstep(0.1F, 0, over));
      if (over > s_.pixel) continue;
      colour = mix(colour, mirror(band, p, u), inside(p, s_.pixel));
    }
    return colour;
  }

 private:
  // The height of the surroundings that the tube shows at this point of its round.
  static Lab mirror(const Band& band, const Band::Place& p, float u) {
    const float a = std::clamp(p.across, -1.0F, 1.0F);
    const float up =
        -std::asin(a) * 0.62F - 0.22F * p.slope + 0.14F * std::sin(1.7F * u + band.phase);
    const float sky = smoothstep(0.02F, 0.75F, up), horizon = std::exp(-26 * up * up);
    const float floor = smoothstep(0.0F, -0.3F, up) - 0.75F * smoothstep(-0.35F, -0.95F, up);
    Lab metal = mix(lighter(band.colour, 0.1F), band.other, 0.5F * sky);
    metal = lighter(metal, 0.26F * horizon - 0.3F * floor - 0.1F * sky);
    return lighter(metal, -0.12F * a * a * a * a);
  }
  Setting s_;
  Turn turn_;
  std::array<Band, 4> bands_;
};

}  // namespace affiche::diffusion
