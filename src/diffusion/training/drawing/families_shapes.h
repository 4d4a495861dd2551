// SPDX-License-Identifier: Apache-2.0
// Families of plain shapes: dots, discs, confetti, Bauhaus.
#pragma once

#include <array>
#include <vector>

#include "diffusion/training/drawing/brush.h"
#include "diffusion/training/drawing/buckets.h"

namespace affiche::diffusion {

// A turned grid of dots that swell towards one side or around a point.
class HalftoneDots : public FamilyTraits {
 public:
  static constexpr bool kComposes = true;
  HalftoneDots(const Setting& setting, Random& random)
      : s_(setting),
        grid_(random.between(0.2F, 1.3F)),
        swell_(random.between(0, 6.28F)),
        dots_(random.between(12, 24) / s_.scale),
        round_(random.chance(0.4F)),
        x_(random.between(-0.8F, 0.8F) * s_.half_width),
        y_(random.between(-0.5F, 0.5F)) {}
  Lab operator()(float x, float y) const {
    const float u = dots_ * grid_.along(x, y), v = dots_ * grid_.across(x, y);
    const float du = u - std::floor(u + 0.5F), dv = v - std::floor(v + 0.5F);
    // The dot's own middle decides its size, so that every dot is round.
    const float mu = (u - du) / dots_, mv = (v - dv) / dots_;
    const float mx = grid_.cosine * mu - grid_.sine * mv, my = grid_.sine * mu + grid_.cosine * mv;
    const float t = strength(mx, my) * s_.seen(mx, my);
    const float size = 0.64F * std::sqrt(std::clamp(t, 0.0F, 1.0F)) - 0.06F;
    const Lab base = mix(s_.ground, s_.second, 0.14F * strength(x, y) * s_.seen(x, y));
    if (size <= 0.02F) return base;
    const float away = (std::sqrt(du * du + dv * dv) - size) / dots_;
    return mix(base, mix(s_.second, s_.third, smoothstep(0.3F, 0.95F, t)),
               coverage(away, s_.pixel));
  }

 private:
  float strength(float x, float y) const {
    if (!round_)
      return smoothstep(-0.55F, 0.62F, swell_.along(x, y) / (0.35F + 0.65F * s_.half_width));
    const float dx = x - x_, dy = y - y_;
    return smoothstep(0.95F, 0.1F, std::sqrt(dx * dx + dy * dy) / (0.4F + 0.5F * s_.half_width));
  }
  Setting s_;
  Turn grid_, swell_;
  float dots_;
  bool round_;
  float x_, y_;
};

// Large translucent discs and rings laid over each other, each paler towards one side.
class OverlappingCircles : public FamilyTraits {
 public:
  static constexpr bool kComposes = true;
  OverlappingCircles(const Setting& setting, Random& random) : s_(setting) {
    for (std::size_t i = 0; i < discs_.size(); ++i) {
      Disc& disc = discs_[i];
      disc = {random.between(-s_.half_width, s_.half_width),
              random.between(-0.5F, 0.5F),
              random.between(0.14F, 0.42F) * s_.scale,
              random.between(0.45F, 0.92F),
              random.chance(0.2F) ? 0.72F : 0.0F,
              Turn(random.between(0, 6.28F)),
              i % 2 == 0 ? s_.second : s_.third};
      disc.alpha *= s_.seen(disc.x, disc.y);
    }
  }
  Lab operator()(float x, float y) const {
    Lab colour = s_.ground;
    for (const Disc& disc : discs_) {
      const float dx = x - disc.x, dy = y - disc.y, away = std::sqrt(dx * dx + dy * dy);
      if (away > disc.radius + s_.pixel) continue;
      const float side = disc.turn.along(dx, dy) / disc.radius;
      const float hole = disc.hole > 0 ? coverage(disc.hole * disc.radius - away, s_.pixel) : 1;
      const float alpha = disc.alpha * (0.78F + 0.22F * side) * hole;
      colour = mix(colour, lighter(disc.colour, 0.04F * side),
                   alpha * coverage(away - disc.radius, s_.pixel));
    }
    return colour;
  }

 private:
  struct Disc {
    float x, y, radius, alpha, hole;
    Turn turn;
    Lab colour;
  };
  Setting s_;
  std::array<Disc, 7> discs_{};
};

// Scraps of paper that rain down: strips, discs, triangles and curls; far ones are small and dim.
class Confetti : public FamilyTraits {
 public:
  static constexpr bool kComposes = true;
  Confetti(const Setting& setting, Random& random)
      : s_(setting), scraps_(make_scraps(random)), buckets_(s_.half_width, boxes(scraps_)) {}
  Lab operator()(float x, float y) const {
    Lab colour = lighter(s_.ground, -0.03F * y);
    for (const std::uint16_t i : buckets_.at(x, y)) {
      const Scrap& scrap = scraps_[i];
      const float dx = x - scrap.x, dy = y - scrap.y;
      if (dx * dx + dy * dy > scrap.reach * scrap.reach) continue;
      const float u = scrap.turn.along(dx, dy), v = scrap.turn.across(dx, dy);
      const float soft = s_.pixel + scrap.blur;
      const Lab lit = lighter(scrap.colour, 0.06F * u / scrap.length);
      colour = mix(colour, lit, scrap.alpha * coverage(away(scrap, u, v), soft));
    }
    return colour;
  }

 private:
  struct Scrap {
    int kind;  // 0 strip, 1 disc, 2 triangle, 3 curl
    float x, y, length, width, reach, alpha, blur;
    Turn turn;
    Lab colour;
  };
  static float away(const Scrap& scrap, float u, float v) {
    switch (scrap.kind) {
      case 1:
        return std::sqrt(u * u + v * v * 1.7F) - scrap.length;
      case 2:
        return std::max(v - 0.5F * scrap.length,
                        0.866F * std::fabs(u) - 0.5F * v - 0.5F * scrap.length);
      case 3: {
        const float bend = v - 0.35F * scrap.length * std::sin(3.6F * u / scrap.length);
        return std::max(std::fabs(u) - scrap.length, std::fabs(bend) - 0.6F * scrap.width);
      }
      default:
        return std::max(std::fabs(u) - scrap.length, std::fabs(v) - scrap.width);
    }
  }
  std::vector<Scrap> make_scraps(Random& random) const {
    const std::array<Lab, 4> colours = {s_.second, s_.third, lighter(s_.second, 0.1F),
                                        lighter(s_.third, -0.08F)};
    std::vector<Scrap> scraps;
    const int count = static_cast<int>(150 * s_.half_width * 2 / (s_.scale * s_.scale));
    for (int i = 0; i < count; ++i) {
      const float depth = static_cast<float>(i) / static_cast<float>(count);
      Scrap scrap{};
      scrap.kind = random.below(4);
      scrap.x = random.between(-s_.half_width, s_.half_width);
      scrap.y = random.between(-0.55F, 0.55F);
      scrap.length = random.between(0.011F, 0.02F) * s_.scale * (0.6F + 1.1F * depth);
      scrap.width = scrap.length * random.between(0.3F, 0.55F);
      scrap.blur = depth > 0.94F ? 0.016F : (depth < 0.3F ? 0.004F : 0);
      if (depth > 0.94F) scrap.length *= 1.8F, scrap.width *= 1.8F;
      scrap.alpha = 0.45F + 0.5F * depth;
      scrap.turn = Turn(random.between(0, 6.28F));
      scrap.colour = colours[static_cast<std::size_t>(random.below(4))];
      scrap.reach = 1.7F * scrap.length + scrap.blur + 0.01F;
      // Thicker at the top, as if it came from there.
      const float kept = s_.seen(scrap.x, scrap.y) * (0.95F - 0.5F * (scrap.y + 0.5F));
      if (random.unit() < kept) scraps.push_back(scrap);
    }
    return scraps;
  }
  static std::vector<Buckets::Box> boxes(const std::vector<Scrap>& scraps) {
    std::vector<Buckets::Box> boxes;
    for (const Scrap& s : scraps)
      boxes.push_back({s.x - s.reach, s.y - s.reach, s.x + s.reach, s.y + s.reach});
    return boxes;
  }
  Setting s_;
  std::vector<Scrap> scraps_;
  Buckets buckets_;
};

// A grid of squares with quarter circles, half circles, arches, discs, triangles and stripes.
class BauhausShapes : public FamilyTraits {
 public:
  static constexpr int kSamples = 4;
  static constexpr bool kComposes = true;
  BauhausShapes(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        cells_(static_cast<float>(random.below(3) + 4) / (s_.scale > 1.2F ? 1.5F : 1.0F)),
        filled_(random.between(0.62F, 0.92F)) {
    colours_ = {s_.second, s_.third, mix(s_.ground, s_.second, 0.5F), lighter(s_.third, -0.12F)};
  }
  Lab operator()(float x, float y) const {
    const float u = x * cells_ + 64, v = (y + 0.5F) * cells_;
    const int column = floor_of(u), row = floor_of(v);
    const std::uint32_t bits = lattice_bits(column, row, seed_);
    const float cx = (static_cast<float>(column) - 63.5F) / cells_;
    const float cy = (static_cast<float>(row) + 0.5F) / cells_ - 0.5F;
    if (static_cast<float>(bits >> 24) > 256 * filled_ * s_.seen(cx, cy)) return s_.ground;
    float a = u - static_cast<float>(column), b = v - static_cast<float>(row);
    if ((bits & 1) != 0) a = 1 - a;
    if ((bits & 2) != 0) b = 1 - b;
    if ((bits & 4) != 0) std::swap(a, b);
    const std::size_t front = (bits >> 3) & 3;
    const Lab back = ((bits >> 5) & 3) == 0 ? colours_[(front + 2) & 3] : s_.ground;
    return holds((bits >> 8) % 9, a, b) ? colours_[front] : back;
  }

 private:
  static bool holds(std::uint32_t kind, float a, float b) {
    const float da = a - 0.5F, db = b - 0.5F;
    switch (kind) {
      case 0:
      case 1:
        return a * a + b * b < 1;  // quarter
      case 2:
        return da * da + b * b < 0.25F;  // half
      case 3:
        return da * da + db * db < 0.16F;  // disc
      case 4:
        return a + b < 1;  // triangle
      case 5: {
        const float r = a * a + b * b;  // arches
        return r < 0.111F || (r > 0.444F && r < 1);
      }
      case 6:
        return static_cast<int>(b * 6) % 2 == 0;  // stripes
      case 7: {
        const float r = da * da + db * db;  // ring
        return r < 0.2F && r > 0.06F;
      }
      default:
        return a * a + b * b < 1 && (1 - a) * (1 - a) + (1 - b) * (1 - b) < 1;  // leaf
    }
  }
  Setting s_;
  std::uint32_t seed_;
  float cells_, filled_;
  std::array<Lab, 4> colours_{};
};

}  // namespace affiche::diffusion
