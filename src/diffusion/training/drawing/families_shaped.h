// SPDX-License-Identifier: Apache-2.0
// Families with edges: waves, paper, dots, facets, lines. Edges are softened over kEdge so that no
// pixel is jagged; features stay wider than 12 pixels of a 256-pixel picture, because the 8-fold
// autoencoder carries nothing finer.
#pragma once

#include <algorithm>
#include <array>

#include "diffusion/training/drawing/brush.h"

namespace affiche::diffusion {

inline constexpr float kEdge = 0.006F;

// Overlapping swells from top to bottom, each with a soft crest.
class SoftWaves {
 public:
  SoftWaves(const Setting& setting, Random& random) : s_(setting) {
    for (std::size_t i = 0; i < kCount; ++i) {
      const float t = static_cast<float>(i) / (kCount - 1);
      waves_[i] = {-0.22F + 0.62F * t + random.between(-0.05F, 0.05F),
                   random.between(0.04F, 0.1F) * s_.scale, random.between(2.0F, 4.2F) / s_.scale,
                   random.between(0, 6.28F),
                   t < 0.5F ? mix(s_.ground, s_.second, 0.35F + 1.3F * t)
                            : mix(s_.second, s_.third, 2 * t - 1)};
    }
  }
  Lab operator()(float x, float y) const {
    Lab colour = s_.ground;
    for (const Wave& wave : waves_) {
      const float edge = wave.place + wave.height * (std::sin(wave.rate * x + wave.phase) +
                                                     0.35F * std::sin(2.3F * wave.rate * x));
      const float depth = y - edge;
      if (depth < -kEdge) continue;
      const Lab body = lighter(wave.colour, 0.05F - 0.16F * std::min(depth, 0.5F));
      colour = mix(colour, body, smoothstep(-kEdge, kEdge, depth));
    }
    return colour;
  }

 private:
  static constexpr std::size_t kCount = 5;
  struct Wave {
    float place, height, rate, phase;
    Lab colour;
  };
  Setting s_;
  std::array<Wave, kCount> waves_{};
};

// Sheets of cut paper that throw a shadow on the sheet below.
class PaperLayers {
 public:
  PaperLayers(const Setting& setting, Random& random)
      : s_(setting), seed_(random.bits()), turn_(random.between(0, 6.28F)) {}
  Lab operator()(float x, float y) const {
    const float u = turn_.along(x, y), v = turn_.across(x, y);
    Lab colour = s_.ground;
    for (int i = 0; i < 4; ++i) {
      const float t = static_cast<float>(i) / 3;
      const auto seed = seed_ + static_cast<std::uint32_t>(i) * 31;
      const float edge = -0.12F + 0.17F * static_cast<float>(i) +
                         0.34F * s_.scale * (noise(1.9F * v / s_.scale, 0.5F, seed) - 0.5F);
      const float depth = u - edge;
      const Lab sheet = t < 0.5F ? mix(s_.ground, s_.second, 0.5F + t)
                                 : mix(s_.second, s_.third, 1.5F * (t - 0.34F));
      if (depth < 0) colour = lighter(colour, -0.13F * smoothstep(-0.07F, 0, depth));
      colour = mix(colour, sheet, smoothstep(-kEdge, kEdge, depth));
    }
    return colour;
  }

 private:
  Setting s_;
  std::uint32_t seed_;
  Turn turn_;
};

// A turned grid of dots that swell towards one side.
class HalftoneDots {
 public:
  HalftoneDots(const Setting& setting, Random& random)
      : s_(setting), grid_(random.between(0.3F, 1.2F)), swell_(random.between(0, 6.28F)) {}
  Lab operator()(float x, float y) const {
    const float k = 11.5F / s_.scale;
    const float u = k * grid_.along(x, y), v = k * grid_.across(x, y);
    const float du = u - std::round(u), dv = v - std::round(v);
    const float size = std::clamp(0.24F + 0.42F * swell_.along(x, y), 0.0F, 0.46F);
    const float inside = smoothstep(kEdge * k, -kEdge * k, std::sqrt(du * du + dv * dv) - size);
    const Lab dot = mix(s_.second, s_.third, smoothstep(-0.3F, 0.5F, swell_.along(x, y)));
    return mix(s_.ground, dot, size > 0.04F ? inside : 0);
  }

 private:
  Setting s_;
  Turn grid_, swell_;
};

// Triangles of a square lattice, each in one shade.
class LowPoly {
 public:
  LowPoly(const Setting& setting, Random& random)
      : s_(setting), seed_(random.bits()), turn_(random.between(0, 6.28F)) {}
  Lab operator()(float x, float y) const {
    const float k = 4.6F / s_.scale;
    const float bent_x = k * (turn_.along(x, y) + 0.12F * (noise(3 * x, 3 * y, seed_) - 0.5F));
    const float bent_y = k * (turn_.across(x, y) + 0.12F * (noise(3 * x, 3 * y, seed_ + 1) - 0.5F));
    const float fx = std::floor(bent_x), fy = std::floor(bent_y);
    const int upper = bent_x - fx > bent_y - fy ? 1 : 0;
    const int cx = 2 * static_cast<int>(fx) + upper, cy = static_cast<int>(fy);
    const float shade = lattice(cx, cy, seed_ + 2);
    const float tone = noise(0.42F * fx, 0.42F * fy, seed_ + 4);
    Lab colour = mix(s_.ground, s_.second, smoothstep(0.35F, 0.8F, tone + 0.16F * (shade - 0.5F)));
    if (noise(0.5F * fx + 9, 0.5F * fy, seed_ + 6) > 0.66F) colour = mix(colour, s_.third, 0.8F);
    return lighter(colour, 0.13F * (shade - 0.5F));
  }

 private:
  Setting s_;
  std::uint32_t seed_;
  Turn turn_;
};

// Lines of equal height of a smooth landscape.
class ContourLines {
 public:
  ContourLines(const Setting& setting, Random& random) : s_(setting), seed_(random.bits()) {}
  Lab operator()(float x, float y) const {
    const float k = 1.7F / s_.scale, step = 0.004F;
    const auto height = [&](float u, float v) { return 7 * noise(k * u + 3, k * v + 3, seed_); };
    const float h = height(x, y);
    const float gx = (height(x + step, y) - h) / step, gy = (height(x, y + step) - h) / step;
    const float slope = std::sqrt(gx * gx + gy * gy) + 0.4F;
    const float level = std::round(h);
    const float away = std::fabs(h - level) / slope;  // distance to the line in the plane
    const Lab floor = mix(s_.ground, s_.third, 0.35F * smoothstep(2.5F, 5.5F, h));
    const Lab line = mix(s_.second, s_.third, smoothstep(3.5F, 5.0F, level) * 0.6F);
    return mix(floor, line, 1 - smoothstep(0.006F, 0.006F + 2 * kEdge, away));
  }

 private:
  Setting s_;
  std::uint32_t seed_;
};

// Bands of cloth that cross the picture, shaded across their width.
class FlowingRibbons {
 public:
  FlowingRibbons(const Setting& setting, Random& random)
      : s_(setting), turn_(random.between(-0.7F, 0.7F)) {
    for (std::size_t i = 0; i < bands_.size(); ++i) {
      bands_[i] = {random.between(-0.35F, 0.35F),         random.between(0.06F, 0.13F) * s_.scale,
                   random.between(2.2F, 4.0F) / s_.scale, random.between(0, 6.28F),
                   random.between(0.05F, 0.14F),          i % 2 == 0 ? s_.second : s_.third};
    }
  }
  Lab operator()(float x, float y) const {
    const float u = turn_.along(x, y), v = turn_.across(x, y);
    Lab colour = s_.ground;
    for (const Band& band : bands_) {
      const float middle = band.place + band.swing * std::sin(band.rate * u + band.phase);
      const float half = band.width * (0.7F + 0.3F * std::sin(1.3F * band.rate * u - band.phase));
      const float across = (v - middle) / half;
      if (std::fabs(across) > 1.1F) continue;
      const Lab cloth = lighter(band.colour, 0.1F * across - 0.07F * across * across);
      colour = mix(colour, cloth,
                   0.92F * (1 - smoothstep(1 - kEdge / half, 1 + kEdge / half, std::fabs(across))));
    }
    return colour;
  }

 private:
  struct Band {
    float place, width, rate, phase, swing;
    Lab colour;
  };
  Setting s_;
  Turn turn_;
  std::array<Band, 5> bands_{};
};

// Large translucent discs laid over each other.
class OverlappingCircles {
 public:
  OverlappingCircles(const Setting& setting, Random& random) : s_(setting) {
    for (std::size_t i = 0; i < discs_.size(); ++i)
      discs_[i] = {random.between(-s_.half_width, s_.half_width), random.between(-0.5F, 0.5F),
                   random.between(0.16F, 0.4F) * s_.scale, random.between(0.45F, 0.9F),
                   i % 2 == 0 ? s_.second : s_.third};
  }
  Lab operator()(float x, float y) const {
    Lab colour = s_.ground;
    for (const Disc& disc : discs_) {
      const float dx = x - disc.x, dy = y - disc.y;
      const float away = std::sqrt(dx * dx + dy * dy) - disc.radius;
      if (away < kEdge)
        colour = mix(colour, disc.colour, disc.alpha * smoothstep(kEdge, -kEdge, away));
    }
    return colour;
  }

 private:
  struct Disc {
    float x, y, radius, alpha;
    Lab colour;
  };
  Setting s_;
  std::array<Disc, 5> discs_{};
};

}  // namespace affiche::diffusion
