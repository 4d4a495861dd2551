// SPDX-License-Identifier: Apache-2.0
// Families of light: meshes, lights, leaks, aurora. Nothing in them has an edge.
#pragma once

#include <array>

#include "diffusion/training/drawing/brush.h"
#include "diffusion/training/drawing/buckets.h"

namespace affiche::diffusion {

// Blobs of colour that flow into each other over a bent plane.
class GradientMesh : public FamilyTraits {
 public:
  GradientMesh(const Setting& setting, Random& random) : s_(setting), seed_(random.bits()) {
    for (std::size_t i = 0; i < blobs_.size(); ++i) {
      const float reach = random.between(0.22F, 0.52F) * s_.scale;
      blobs_[i] = {random.between(-s_.half_width, s_.half_width), random.between(-0.55F, 0.55F),
                   1 / (reach * reach), i % 2 == 0 ? s_.second : s_.third};
      if (i > 2) blobs_[i].colour = lighter(blobs_[i].colour, random.between(-0.1F, 0.08F));
    }
    blobs_[5].colour = s_.ground;
  }
  Lab operator()(float x, float y) const {
    const float k = 1.7F / s_.scale;
    const float bent_x = x + 0.17F * hills(k * x + 7, k * y, seed_).value;
    const float bent_y = y + 0.17F * hills(k * x, k * y + 9, seed_ + 5).value;
    Lab sum = s_.ground * 0.5F;
    float weights = 0.5F;
    for (const Blob& blob : blobs_) {
      const float dx = bent_x - blob.x, dy = bent_y - blob.y;
      const float near = 1 / (1 + (dx * dx + dy * dy) * blob.sharpness);
      const float weight = near * near * near;
      sum = sum + blob.colour * weight;
      weights += weight;
    }
    return sum * (1 / weights);
  }

 private:
  struct Blob {
    float x, y, sharpness;
    Lab colour;
  };
  Setting s_;
  std::uint32_t seed_;
  std::array<Blob, 6> blobs_{};
};

// Out-of-focus lights: large faint discs far behind, small clear ones in front, each a little
// brighter at its rim, as lenses draw them.
class BokehLights : public FamilyTraits {
 public:
  BokehLights(const Setting& setting, Random& random)
      : s_(setting),
        glow_(random.between(-0.5F, 0.5F)),
        discs_(make_discs(random)),
        buckets_(s_.half_width, boxes(discs_)) {}
  Lab operator()(float x, float y) const {
    const float away = (x - glow_ * s_.half_width) * (x - glow_ * s_.half_width) + y * y;
    Lab colour = mix(s_.ground, s_.second, 0.16F / (1 + 5 * away));
    for (const std::uint16_t i : buckets_.at(x, y)) {
      const Disc& disc = discs_[i];
      const float dx = x - disc.x, dy = y - disc.y, square = dx * dx + dy * dy;
      if (square > disc.radius * disc.radius) continue;
      const float r = std::sqrt(square) / disc.radius;
      const float alpha =
          disc.alpha * (1 - smoothstep(disc.blur, 1.0F, r)) * (0.62F + 0.38F * r * r * r * r);
      colour = mix(colour, disc.colour, alpha);
    }
    return colour;
  }

 private:
  struct Disc {
    float x, y, radius, alpha, blur;
    Lab colour;
  };
  std::vector<Disc> make_discs(Random& random) const {
    std::vector<Disc> discs;
    const int count = static_cast<int>(34 * s_.half_width * 2 / s_.scale);
    for (int i = 0; i < count; ++i) {
      const float depth = static_cast<float>(i) / static_cast<float>(count);  // 1: in front
      Disc disc{};
      disc.radius = random.between(0.06F, 0.19F) * s_.scale * (1.15F - 0.75F * depth);
      disc.x = random.between(-s_.half_width, s_.half_width);
      disc.y = 0.9F * (random.unit() + random.unit() - 1) + 0.1F * random.between(-1, 1);
      disc.alpha = random.between(0.14F, 0.4F) + 0.35F * depth * random.unit();
      disc.blur = 0.55F + 0.4F * depth;
      const Lab shade = random.chance(0.5F) ? s_.second : s_.third;
      disc.colour = lighter(shade, random.between(-0.03F, 0.09F));
      const float seen = s_.seen(disc.x, disc.y);
      disc.alpha *= seen;
      if (seen > 0.05F) discs.push_back(disc);
    }
    return discs;
  }
  static std::vector<Buckets::Box> boxes(const std::vector<Disc>& discs) {
    std::vector<Buckets::Box> boxes;
    for (const Disc& d : discs)
      boxes.push_back({d.x - d.radius, d.y - d.radius, d.x + d.radius, d.y + d.radius});
    return boxes;
  }
  Setting s_;
  float glow_;
  std::vector<Disc> discs_;
  Buckets buckets_;
};

// Broad streaks of colour that fall in from the edges of the film.
class LightLeaks : public FamilyTraits {
 public:
  LightLeaks(const Setting& setting, Random& random) : s_(setting), seed_(random.bits()) {
    const float lean = random.between(-0.9F, 0.9F);
    for (std::size_t i = 0; i < streaks_.size(); ++i) {
      const Turn turn(lean + random.between(-0.25F, 0.25F));
      // Most enter by the left or right edge; the middle stays calmer.
      const float side = random.chance(0.5F) ? 1.0F : -1.0F;
      streaks_[i] = {turn, side * random.between(0.35F, 1.0F) * s_.half_width,
                     1 / (random.between(0.07F, 0.26F) * s_.scale), random.between(0.5F, 0.95F),
                     i % 2 == 0 ? s_.second : s_.third};
    }
  }
  Lab operator()(float x, float y) const {
    Lab colour = s_.ground;
    const float k = 1.3F / s_.scale;
    const float wobble = 0.13F * hills(k * x, k * y, seed_).value;
    for (const Streak& streak : streaks_) {
      const float d = (streak.turn.along(x, y) - streak.place + wobble) * streak.sharpness;
      const float glow = streak.alpha / (1 + d * d * d * d + d * d);
      colour = lighter(mix(colour, streak.colour, glow), 0.05F * glow * glow);
    }
    return colour;
  }

 private:
  struct Streak {
    Turn turn;
    float place = 0, sharpness = 1, alpha = 0;
    Lab colour;
  };
  Setting s_;
  std::uint32_t seed_;
  std::array<Streak, 5> streaks_{};
};

// Curtains of light: bright at a waving lower edge, fading upwards in rays.
class Aurora : public FamilyTraits {
 public:
  Aurora(const Setting& setting, Random& random) : s_(setting), seed_(random.bits()) {
    for (std::size_t i = 0; i < curtains_.size(); ++i)
      curtains_[i] = {0.34F - 0.24F * static_cast<float>(i) + random.between(-0.05F, 0.05F),
                      random.between(0, 6.28F), random.between(1.6F, 3.0F) / s_.scale,
                      random.between(2.6F, 4.4F) / s_.scale, i % 2 == 0 ? s_.second : s_.third};
  }
  Lab operator()(float x, float y) const {
    Lab colour = lighter(s_.ground, -0.05F * (y + 0.5F));
    std::uint32_t seed = seed_;
    for (const Curtain& c : curtains_) {
      seed += 17;
      const float edge = c.base + 0.1F * std::sin(c.rate * x + c.phase) +
                         0.12F * hills(1.4F * x / s_.scale, c.phase, seed).value;
      const float height = edge - y;  // above the edge: positive
      const float lean = x + 0.16F * height;
      const float rays = 0.68F + 0.5F * hills(7 * lean / s_.scale, 0.5F * y, seed + 3).value +
                         0.3F * hills(19 * lean / s_.scale, 0.9F * y, seed + 5).value;
      const float fade = height > 0 ? std::exp(-c.fall * height) : std::exp(15 * height);
      const float glow = std::clamp(fade * rays, 0.0F, 1.0F);
      colour = lighter(mix(colour, c.colour, 0.94F * glow), 0.07F * glow * glow * fade);
    }
    return colour;
  }

 private:
  struct Curtain {
    float base, phase, rate, fall;
    Lab colour;
  };
  Setting s_;
  std::uint32_t seed_;
  std::array<Curtain, 3> curtains_{};
};

}  // namespace affiche::diffusion
