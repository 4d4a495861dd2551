// SPDX-License-Identifier: Apache-2.0
// Families of matter: smoke, ink, marble, paper, cloth.
#pragma once

#include "diffusion/training/drawing/brush.h"

namespace affiche::diffusion {

// Smoke: noise whose coordinates are moved by noise.
class DriftingSmoke : public FamilyTraits {
 public:
  DriftingSmoke(const Setting& setting, Random& random)
      : s_(setting), seed_(random.bits()), turn_(random.between(-0.6F, 0.6F)) {}
  Lab operator()(float px, float py) const {
    const float x = turn_.along(px, py), y = 1.35F * turn_.across(px, py), k = 2.0F / s_.scale;
    const float u = hills(k * x, k * y, seed_).value,
                v = hills(k * x + 5, k * y + 3, seed_ + 9).value;
    const float wisp = fractal(k * x + 0.9F * u, k * y + 0.9F * v, seed_ + 21);
    const float other = fractal(0.8F * k * x - 0.7F * v, 0.8F * k * y + 0.7F * u, seed_ + 40);
    const Lab colour = mix(s_.ground, s_.second, smoothstep(0.3F, 0.72F, wisp));
    return mix(colour, s_.third,
               0.85F * smoothstep(0.42F, 0.68F, other) * smoothstep(0.34F, 0.66F, wisp));
  }

 private:
  Setting s_;
  std::uint32_t seed_;
  Turn turn_;
};

// Ink let into water: clouds with a clear front and a darker rim along it.
class InkClouds : public FamilyTraits {
 public:
  InkClouds(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        x_(random.between(-0.6F, 0.6F) * s_.half_width),
        y_(random.between(-0.45F, 0.45F)),
        reach_(random.between(0.42F, 0.62F) * s_.scale) {}
  Lab operator()(float x, float y) const {
    const float k = 2.1F / s_.scale;
    const Height bend = hills(k * x, k * y, seed_);
    const float curl = 0.2F;  // along the lines of equal height, so that plumes roll up
    const float wx = x - curl * bend.dy * 0.45F, wy = y + curl * bend.dx * 0.45F;
    const float plume = fractal(1.6F * k * wx, 1.6F * k * wy, seed_ + 7) - 0.5F;
    const float dx = wx - x_, dy = wy - y_;
    const float density = reach_ - std::sqrt(0.55F * dx * dx + dy * dy) + 0.42F * plume;
    const float ink = smoothstep(-0.03F, 0.2F, density);
    const float rim = smoothstep(-0.02F, 0.03F, density) * (1 - smoothstep(0.03F, 0.16F, density));
    const float depth = smoothstep(0.1F, 0.5F, density + 0.2F * bend.value);
    Lab colour = mix(s_.ground, mix(s_.second, s_.third, depth), ink);
    colour = mix(colour, s_.second, 0.5F * rim);
    return lighter(colour, -0.05F * rim + 0.05F * depth * bend.value);
  }

 private:
  Setting s_;
  std::uint32_t seed_;
  float x_, y_, reach_;
};

// Polished stone: clouds of a second tone, broad soft veins and thin sharp ones.
class MarbleVeins : public FamilyTraits {
 public:
  MarbleVeins(const Setting& setting, Random& random)
      : s_(setting), seed_(random.bits()), turn_(random.between(0, 6.28F)) {}
  Lab operator()(float px, float py) const {
    const float k = 0.85F / s_.scale;
    const float x = k * turn_.along(px, py), y = 2.3F * k * turn_.across(px, py);
    const Height bend = hills(1.3F * x, 1.3F * y, seed_);
    const float fine = hills(4.6F * x, 4.6F * y, seed_ + 4).value;
    const float wx = x + 0.42F * bend.value + 0.07F * fine;
    const float wy = y + 0.42F * hills(1.3F * x + 8, 1.3F * y, seed_ + 1).value + 0.07F * fine;
    const float cloud = fractal(wx, wy, seed_ + 2);
    Lab colour = mix(s_.ground, s_.second, 0.4F * smoothstep(0.4F, 0.85F, cloud));
    colour = mix(colour, s_.second, 0.75F * vein(0.9F * wx, 0.9F * wy, seed_ + 11, 0.05F, 0.5F));
    colour = mix(colour, s_.second, 0.4F * vein(1.7F * wx, 1.7F * wy, seed_ + 12, 0.012F, 0.5F));
    return mix(colour, s_.third, 0.9F * vein(wx + 3, wy, seed_ + 13, 0.014F, 0.35F));
  }

 private:
  // Along the zero line of a noise; thicker where another noise is high, gone where it is low.
  float vein(float x, float y, std::uint32_t seed, float width, float rest) const {
    const Height h = hills(x, y, seed);
    const float thick = width * (0.25F + 1.1F * std::max(0.0F, 0.5F + fade(x, y)));
    const float away = std::fabs(h.value) / (h.slope() + rest);
    const float soft = 1.6F * s_.pixel / s_.scale;
    return (1 - smoothstep(0.25F * thick, thick + soft, away)) *
           smoothstep(-0.35F, 0.2F, fade(x, y));
  }
  float fade(float x, float y) const { return hills(0.8F * x + 20, 0.8F * y, seed_ + 30).value; }
  Setting s_;
  std::uint32_t seed_;
  Turn turn_;
};

// A sheet of laid paper: fibres, faint clouds, flecks and a second tone towards one side.
class PaperGrain : public FamilyTraits {
 public:
  PaperGrain(const Setting& setting, Random& random)
      : s_(setting), seed_(random.bits()), turn_(random.between(0, 6.28F)) {}
  Lab operator()(float x, float y) const {
    const float k = 26 / s_.scale, u = turn_.along(x, y), v = turn_.across(x, y);
    const float fibre = hills(k * u, 3 * k * v, seed_).value +
                        0.7F * hills(2.6F * k * v, 0.9F * k * u, seed_ + 6).value;
    const float tooth = hills(80 * x, 80 * y, seed_ + 8).value;
    const float cloud = fractal(1.4F * x, 1.4F * y, seed_ + 3);
    const float side = smoothstep(0.05F, 1.0F, 0.5F + 0.5F * u / s_.half_width);
    const float fleck = smoothstep(0.52F, 0.6F, hills(14 * x, 14 * y, seed_ + 9).value);
    Lab colour = mix(s_.ground, s_.second, 0.62F * side * side + 0.3F * (cloud - 0.5F));
    colour = mix(colour, s_.third, 0.34F * smoothstep(0.55F, 0.9F, cloud) + 0.3F * fleck);
    return lighter(colour, 0.026F * fibre + 0.018F * tooth);
  }

 private:
  Setting s_;
  std::uint32_t seed_;
  Turn turn_;
};

// Plain weave: warp and weft take turns on top; threads vary in tone and thickness.
class WovenFabric : public FamilyTraits {
 public:
  WovenFabric(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        turn_(random.chance(0.5F) ? 0.0F : 0.7854F),
        threads_(std::min(random.between(46, 62) / s_.scale, 0.2F / s_.pixel)),
        stripes_(random.below(3)) {}
  Lab operator()(float x, float y) const {
    const float bend = 0.012F * hills(2 * x, 2 * y, seed_).value;
    const float u = threads_ * (turn_.along(x, y) + bend),
                v = threads_ * (turn_.across(x, y) + bend);
    const int warp = floor_of(u), weft = floor_of(v);
    const float du = u - static_cast<float>(warp) - 0.5F, dv = v - static_cast<float>(weft) - 0.5F;
    const bool over = ((warp + weft) & 1) == 0;
    const float across = over ? du : dv, along = over ? dv : du;
    const float number = lattice(over ? warp : weft, over ? 1 : 2, seed_);
    const float round = 1 - 4 * across * across, bow = 1 - 3.2F * along * along;
    const float drape = hills(1.1F * x / s_.scale, 1.1F * y / s_.scale, seed_ + 3).value;
    Lab thread = mix(s_.ground, s_.second, tone(over ? warp : weft, over) * (0.7F + 0.3F * number));
    thread = mix(thread, s_.third, 0.55F * smoothstep(0.0F, 0.5F, drape));
    return lighter(thread, 0.07F * (round * bow - 0.62F) + 0.04F * (number - 0.5F) + 0.07F * drape);
  }

 private:
  float tone(int thread, bool warp) const {
    if (stripes_ == 0) return warp ? 0.22F : 0.0F;
    const int width = stripes_ == 1 ? 12 : 20;
    const int place = ((thread % width) + width) % width;
    return place < 2 || (stripes_ == 2 && place > 4 && place < 9) ? 0.6F : 0.05F;
  }
  Setting s_;
  std::uint32_t seed_;
  Turn turn_;
  float threads_;
  int stripes_;  // 0: none, 1: narrow, 2: tartan
};

}  // namespace affiche::diffusion
