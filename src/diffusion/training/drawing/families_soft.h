// SPDX-License-Identifier: Apache-2.0
// Families without edges: meshes, lights, smoke. Each is a small function of the position; its
// constructor draws the parameters.
#pragma once

#include <array>

#include "diffusion/training/drawing/brush.h"

namespace affiche::diffusion {

// Blobs of colour that flow into each other over a bent plane.
class GradientMesh {
 public:
  GradientMesh(const Setting& setting, Random& random) : s_(setting), seed_(random.bits()) {
    for (std::size_t i = 0; i < blobs_.size(); ++i) {
      const float reach = random.between(0.28F, 0.5F) * s_.scale;
      blobs_[i] = {random.between(-s_.half_width, s_.half_width), random.between(-0.55F, 0.55F),
                   1 / (reach * reach), i % 2 == 0 ? s_.second : s_.third};
    }
    blobs_[4].colour = s_.ground;
  }
  Lab operator()(float x, float y) const {
    const float bent_x = x + 0.22F * (noise(2.1F * x + 7, 2.1F * y, seed_) - 0.5F);
    const float bent_y = y + 0.22F * (noise(2.1F * x, 2.1F * y + 9, seed_ + 5) - 0.5F);
    Lab sum = s_.ground * 0.55F;
    float weights = 0.55F;
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
  std::array<Blob, 5> blobs_{};
};

// Out-of-focus discs with a slightly brighter rim.
class BokehLights {
 public:
  BokehLights(const Setting& setting, Random& random) : s_(setting) {
    for (Disc& disc : discs_) {
      disc.radius = random.between(0.05F, 0.16F) * s_.scale;
      disc.x = random.between(-s_.half_width, s_.half_width);
      disc.y = random.between(-0.5F, 0.5F);
      disc.alpha = random.between(0.22F, 0.7F);
      disc.colour = random.chance(0.5F) ? s_.second : s_.third;
    }
  }
  Lab operator()(float x, float y) const {
    Lab colour = lighter(s_.ground, -0.05F * (x * x + y * y));
    for (const Disc& disc : discs_) {
      const float dx = x - disc.x, dy = y - disc.y, square = dx * dx + dy * dy;
      if (square > disc.radius * disc.radius) continue;
      const float r = std::sqrt(square) / disc.radius;
      const float alpha = disc.alpha * (1 - smoothstep(0.84F, 1.0F, r)) * (0.75F + 0.25F * r * r);
      colour = mix(colour, disc.colour, alpha);
    }
    return colour;
  }

 private:
  struct Disc {
    float x, y, radius, alpha;
    Lab colour;
  };
  Setting s_;
  std::array<Disc, 16> discs_{};
};

// Broad streaks of colour that fall in from the edges of the film.
class LightLeaks {
 public:
  LightLeaks(const Setting& setting, Random& random) : s_(setting), seed_(random.bits()) {
    for (std::size_t i = 0; i < streaks_.size(); ++i) {
      const Turn turn(random.between(-0.6F, 0.6F));
      streaks_[i] = {turn, random.between(-s_.half_width, s_.half_width),
                     1 / (random.between(0.1F, 0.3F) * s_.scale), random.between(0.6F, 1.0F),
                     i % 2 == 0 ? s_.second : s_.third};
    }
  }
  Lab operator()(float x, float y) const {
    Lab colour = s_.ground;
    const float wobble = 0.25F * (noise(1.7F * x, 1.7F * y, seed_) - 0.5F);
    for (const Streak& streak : streaks_) {
      const float d = (streak.turn.along(x, y) - streak.place + wobble) * streak.sharpness;
      colour = mix(colour, streak.colour, streak.alpha / (1 + d * d * d * d + d * d));
    }
    return colour;
  }

 private:
  struct Streak {
    Turn turn{0};
    float place = 0, sharpness = 1, alpha = 0;
    Lab colour;
  };
  Setting s_;
  std::uint32_t seed_;
  std::array<Streak, 4> streaks_{};
};

// Curtains of light above a waving lower edge.
class Aurora {
 public:
  Aurora(const Setting& setting, Random& random) : s_(setting), seed_(random.bits()) {
    for (std::size_t i = 0; i < 2; ++i) {
      base_[i] = random.between(0.0F, 0.3F) - 0.22F * static_cast<float>(i);
      phase_[i] = random.between(0, 6.28F);
    }
  }
  Lab operator()(float x, float y) const {
    Lab colour = s_.ground;
    for (std::size_t i = 0; i < 2; ++i) {
      const float edge = base_[i] + 0.1F * std::sin(2.6F * x / s_.scale + phase_[i]) +
                         0.06F * std::sin(5.3F * x + 2 * phase_[i]);
      const float height = edge - y;  // above the edge: positive
      const auto seed = seed_ + static_cast<std::uint32_t>(i) * 17;
      const float rays = 0.45F + 0.55F * noise(6 * x / s_.scale, 0.8F * y, seed);
      const float glow = height > 0 ? std::exp(-3.4F * height) : std::exp(26 * height);
      colour = mix(colour, i == 0 ? s_.second : s_.third, 0.95F * glow * rays);
    }
    return colour;
  }

 private:
  Setting s_;
  std::uint32_t seed_;
  std::array<float, 2> base_{}, phase_{};
};

// Smoke: noise whose coordinates are moved by noise.
class DriftingSmoke {
 public:
  DriftingSmoke(const Setting& setting, Random& random) : s_(setting), seed_(random.bits()) {}
  Lab operator()(float x, float y) const {
    const float k = 2.2F / s_.scale;
    const float u = noise(k * x, k * y, seed_), v = noise(k * x + 5, k * y + 3, seed_ + 9);
    const float wisp = fractal(k * x + 1.8F * u, k * y + 1.8F * v, seed_ + 21);
    const Lab colour = mix(s_.ground, s_.second, smoothstep(0.42F, 0.78F, wisp));
    return mix(colour, s_.third, 0.75F * smoothstep(0.55F, 0.9F, v) * smoothstep(0.3F, 0.6F, wisp));
  }

 private:
  Setting s_;
  std::uint32_t seed_;
};

// A sheet with cloudy fibres and a second tone towards one corner.
class PaperGrain {
 public:
  PaperGrain(const Setting& setting, Random& random)
      : s_(setting), seed_(random.bits()), turn_(random.between(0, 6.28F)) {}
  Lab operator()(float x, float y) const {
    const float k = 11 / s_.scale;
    const float fibre = noise(k * turn_.along(x, y), 2.6F * k * turn_.across(x, y), seed_);
    const float cloud = fractal(1.6F * x, 1.6F * y, seed_ + 3);
    const float side = smoothstep(0.1F, 0.95F, 0.5F + turn_.along(x, y) * 0.55F);
    Lab colour = mix(s_.ground, s_.second, 0.5F * side * side + 0.22F * (cloud - 0.5F));
    colour = mix(colour, s_.third, 0.3F * smoothstep(0.58F, 0.85F, cloud));
    return lighter(colour, 0.1F * (fibre - 0.5F));
  }

 private:
  Setting s_;
  std::uint32_t seed_;
  Turn turn_;
};

}  // namespace affiche::diffusion
