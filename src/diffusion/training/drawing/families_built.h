// SPDX-License-Identifier: Apache-2.0
// Families of things built: facets, blocks, grids, circuits, frames.
#pragma once

#include <array>
#include <vector>

#include "diffusion/training/drawing/brush.h"
#include "diffusion/training/drawing/buckets.h"

namespace affiche::diffusion {

// A landscape of triangles over jittered points, lit from one side.
class LowPoly : public FamilyTraits {
 public:
  LowPoly(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        sun_(random.between(0, 6.28F)),
        facets_(make_facets(random)),
        buckets_(s_.half_width, boxes(facets_)) {}
  Lab operator()(float x, float y) const {
    Lab sum;
    float weights = 0;
    for (const std::uint16_t i : buckets_.at(x, y)) {
      const Facet& f = facets_[i];
      float least = 1;
      for (const Edge& e : f.edges) least = std::min(least, e.nx * x + e.ny * y + e.place);
      const float part = coverage(-least, s_.pixel);
      if (part <= 0) continue;
      sum = sum + f.colour * part;
      weights += part;
    }
    return weights > 0 ? sum * (1 / weights) : s_.ground;
  }

 private:
  struct Point {
    float x, y, height;
  };
  struct Edge {
    float nx, ny, place;  // distance inwards
  };
  struct Facet {
    std::array<Edge, 3> edges;
    Buckets::Box box;
    Lab colour;
  };
  Facet facet(const std::array<Point, 3>& p, float tint) const {
    Facet f{};
    const float turn =
        (p[1].x - p[0].x) * (p[2].y - p[0].y) - (p[2].x - p[0].x) * (p[1].y - p[0].y);
    for (std::size_t i = 0; i < 3; ++i) {
      const Point &a = p[i], &b = p[(i + 1) % 3];
      const float dx = b.x - a.x, dy = b.y - a.y;
      const float length = std::sqrt(dx * dx + dy * dy) * (turn > 0 ? 1.0F : -1.0F);
      f.edges[i] = {-dy / length, dx / length, (dy * a.x - dx * a.y) / length};
    }
    f.box = {std::min({p[0].x, p[1].x, p[2].x}) - 0.01F, std::min({p[0].y, p[1].y, p[2].y}) - 0.01F,
             std::max({p[0].x, p[1].x, p[2].x}) + 0.01F,
             std::max({p[0].y, p[1].y, p[2].y}) + 0.01F};
    // Its slope towards the sun.
    const float gx = ((p[1].height - p[0].height) * (p[2].y - p[0].y) -
                      (p[2].height - p[0].height) * (p[1].y - p[0].y)) /
                     turn;
    const float gy = ((p[2].height - p[0].height) * (p[1].x - p[0].x) -
                      (p[1].height - p[0].height) * (p[2].x - p[0].x)) /
                     turn;
    const float x = (p[0].x + p[1].x + p[2].x) / 3, y = (p[0].y + p[1].y + p[2].y) / 3;
    const float k = 0.9F / s_.scale;
    const float tone = 0.42F + 0.85F * hills(k * x, k * y, seed_).value + 0.13F * tint;
    f.colour = lighter(s_.tone(tone), std::clamp(0.16F * sun_.along(gx, gy), -0.1F, 0.1F));
    return f;
  }
  std::vector<Facet> make_facets(Random& random) const {
    const float side = random.between(0.11F, 0.19F) * s_.scale;
    const int columns = static_cast<int>(2 * s_.half_width / side) + 3;
    const int rows = static_cast<int>(1 / side) + 3;
    std::vector<Point> points;
    for (int row = 0; row <= rows; ++row)
      for (int column = 0; column <= columns; ++column)
        points.push_back(
            {(static_cast<float>(column) - 1 + random.between(-0.36F, 0.36F) +
              0.5F * static_cast<float>(row % 2)) *
                     side -
                 s_.half_width,
             (static_cast<float>(row) - 1 + random.between(-0.34F, 0.34F)) * side - 0.5F,
             side * random.between(-0.5F, 0.5F)});
    std::vector<Facet> facets;
    for (int row = 0; row < rows; ++row)
      for (int column = 0; column < columns; ++column) {
        const auto at = [&](int dx, int dy) {
          return points[static_cast<std::size_t>((row + dy) * (columns + 1) + column + dx)];
        };
        const bool shifted = row % 2 == 1;  // the shorter diagonal, as rows are shifted in turn
        const Point corner = shifted ? at(0, 0) : at(1, 0), far = shifted ? at(1, 1) : at(0, 1);
        facets.push_back(facet({corner, far, shifted ? at(1, 0) : at(0, 0)}, random.unit() - 0.5F));
        facets.push_back(facet({corner, far, shifted ? at(0, 1) : at(1, 1)}, random.unit() - 0.5F));
      }
    return facets;
  }
  static std::vector<Buckets::Box> boxes(const std::vector<Facet>& facets) {
    std::vector<Buckets::Box> boxes;
    for (const Facet& f : facets) boxes.push_back(f.box);
    return boxes;
  }
  Setting s_;
  std::uint32_t seed_;
  Turn sun_;
  std::vector<Facet> facets_;
  Buckets buckets_;
};

// Columns of different heights in isometric view. A pixel asks the few cells in front of it, from
// the nearest on, whether their top or one of their two visible sides covers it.
class IsometricBlocks : public FamilyTraits {
 public:
  static constexpr int kSamples = 4;
  IsometricBlocks(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        half_(random.between(0.045F, 0.075F) * s_.scale),
        tall_(random.between(1.6F, 3.2F)) {}
  Lab operator()(float x, float y) const {
    // In units of half a cell's width; a cell is half as high as wide. d: i - j, k: i + j.
    const float d = x / half_ + 500, v = 2 * y / half_ + 500;
    const int left = floor_of(d);
    for (int k = floor_of(v + tall_); k >= floor_of(v) - 2; --k) {
      const int across = ((left ^ k) & 1) == 0 ? left : left + 1;
      const float t = std::fabs(d - static_cast<float>(across));
      const float height = tall_ * height_of(across, k);
      const float back = static_cast<float>(k) + t, front = static_cast<float>(k) + 2 - t;
      if (v > front || v < back - height) continue;
      const Lab colour = colour_of(across, k);
      if (v <= front - height) return lighter(colour, 0.05F);
      const float down = (v - front + height) / (tall_ + 0.5F);  // 0 at the top edge
      const bool on_left = d < static_cast<float>(across);
      return lighter(colour, (on_left ? -0.07F : -0.17F) - 0.07F * down);
    }
    return s_.ground;
  }

 private:
  float height_of(int across, int k) const {
    const float i = static_cast<float>(across), j = static_cast<float>(k);
    const float rise = 0.5F + 0.75F * hills(0.11F * i, 0.11F * j, seed_).value;
    return std::clamp(rise + 0.28F * (lattice(across, k, seed_ + 1) - 0.5F), 0.0F, 1.0F);
  }
  Lab colour_of(int across, int k) const {
    const float i = static_cast<float>(across), j = static_cast<float>(k);
    const float field = 0.34F + 0.8F * hills(0.07F * i + 9, 0.07F * j, seed_ + 2).value;
    return s_.tone(field + 0.24F * (lattice(across, k, seed_ + 3) - 0.5F));
  }
  Setting s_;
  std::uint32_t seed_;
  float half_, tall_;
};

// Ruled lines with glowing crossings: flat, or a floor that runs to a horizon.
class FineGrid : public FamilyTraits {
 public:
  FineGrid(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        floor_(random.chance(0.4F)),
        lines_(random.between(11, 20) / s_.scale),
        horizon_(random.between(-0.18F, 0.02F)),
        x_(random.between(-0.7F, 0.7F) * s_.half_width),
        y_(random.between(-0.4F, 0.4F)) {}
  Lab operator()(float x, float y) const { return floor_ ? perspective(x, y) : flat(x, y); }

 private:
  static float near_line(float u) { return std::fabs(u - std::floor(u + 0.5F)); }
  float line(float u, float rate, float width) const {
    return coverage(near_line(u) / rate - std::max(width, 0.5F * s_.pixel), s_.pixel);
  }
  Lab flat(float x, float y) const {
    const float dx = (x - x_) / (0.6F + s_.half_width), dy = y - y_;
    const float glow = std::exp(-2.6F * (dx * dx + dy * dy));
    Lab colour = mix(s_.ground, s_.second, 0.34F * glow);
    const float u = lines_ * x, v = lines_ * y;
    const float minor = std::max(line(u, lines_, 0.001F), line(v, lines_, 0.001F));
    const float major =
        std::max(line(u / 4, lines_ / 4, 0.0016F), line(v / 4, lines_ / 4, 0.0016F));
    const Lab ink = mix(s_.second, s_.third, glow);
    colour = mix(colour, ink, std::max(0.5F * minor, 0.85F * major) * (0.42F + 0.58F * glow));
    const int column = floor_of(u + 0.5F), row = floor_of(v + 0.5F);
    if (lattice(column, row, seed_) > 0.94F) {
      const float du = (u - static_cast<float>(column)) / lines_;
      const float dv = (v - static_cast<float>(row)) / lines_;
      const float away = std::sqrt(du * du + dv * dv);
      colour = mix(colour, s_.third, 0.5F * std::exp(-900 * away * away));
      colour = mix(colour, s_.third, coverage(away - 0.0065F, s_.pixel));
    }
    return colour;
  }
  Lab perspective(float x, float y) const {
    const float below = y - horizon_, sky = std::exp(-7.5F * std::fabs(below));
    Lab colour = mix(s_.ground, s_.second, (below < 0 ? 0.75F : 0.5F) * sky);
    const float dx = x - 0.4F * x_, dy = y - horizon_ + 0.1F, sun = std::sqrt(dx * dx + dy * dy);
    if (below < 0) {
      const float disc = coverage(sun - 0.2F * s_.scale, s_.pixel);
      const Lab light = mix(s_.third, s_.second, smoothstep(-0.3F, 0.05F, below));
      colour = mix(mix(colour, s_.third, 0.22F * std::exp(-5 * sun)), light, 0.92F * disc);
    } else if (below > 0.002F) {
      const float depth = 0.32F / below, u = 3.4F * (x - 0.4F * x_) * depth / s_.scale;
      const float v = 3.1F * depth / s_.scale;
      const float ru = 3.4F * depth / s_.scale, rv = 3.1F * depth / below / s_.scale;
      const float faded = smoothstep(0.6F, 0.1F, std::max(ru, rv) * s_.pixel);
      const float both = std::max(line(u, ru, 0.0016F), line(v, rv, 0.0016F));
      colour = mix(colour, s_.third, 0.85F * both * faded + 0.2F * (1 - faded));
    }
    return colour;
  }
  Setting s_;
  std::uint32_t seed_;
  bool floor_;
  float lines_, horizon_, x_, y_;
};

// Conductors that run along a lattice, bend by 45 degrees and end in pads.
class CircuitTraces : public FamilyTraits {
 public:
  static constexpr bool kComposes = true;
  CircuitTraces(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        step_(0.034F * s_.scale),
        pieces_(make_pieces(random)),
        buckets_(s_.half_width, boxes(pieces_)) {}
  Lab operator()(float x, float y) const {
    const float sheen = hills(1.2F * x, 1.2F * y, seed_).value;
    Lab colour = mix(s_.ground, s_.second, (0.1F + 0.14F * sheen) * s_.seen(x, y));
    for (const std::uint16_t i : buckets_.at(x, y)) {
      const Piece& p = pieces_[i];
      const float dx = x - p.x, dy = y - p.y;
      const float along = std::clamp(dx * p.ux + dy * p.uy, 0.0F, p.length);
      const float ex = dx - along * p.ux, ey = dy - along * p.uy;
      const float away = std::sqrt(ex * ex + ey * ey);
      if (away > p.width + 0.03F) continue;
      if (p.glow) colour = mix(colour, p.colour, 0.28F * std::exp(-away * away * 9000));
      const float ring = p.hole > 0 ? std::max(away - p.width, p.hole - away) : away - p.width;
      colour = mix(colour, p.colour, p.alpha * coverage(ring, s_.pixel));
    }
    return colour;
  }

 private:
  struct Piece {  // a stretch, or with length 0 and a hole a pad
    float x, y, ux, uy, length, width, hole, alpha;
    bool glow;
    Lab colour;
  };
  void add_trace(Random& random, std::vector<Piece>& pieces) const {
    const int columns = static_cast<int>(s_.half_width / step_),
              rows = static_cast<int>(0.5F / step_);
    float x = step_ * static_cast<float>(random.below(2 * columns + 1) - columns);
    float y = step_ * static_cast<float>(random.below(2 * rows + 1) - rows);
    int heading = 2 * random.below(4);
    const bool bright = random.chance(0.22F);
    const Lab colour = bright ? s_.third : mix(s_.ground, s_.second, random.between(0.45F, 0.9F));
    const float width = step_ * (bright ? 0.1F : 0.085F), seen = s_.seen(x, y);
    if (random.unit() > seen) return;
    const auto pad = [&] {
      pieces.push_back({x, y, 1, 0, 0, 0.3F * step_, 0.13F * step_, 1, bright, colour});
    };
    pad();
    const int bends = 1 + random.below(3);
    for (int i = 0; i <= bends; ++i) {
      static constexpr std::array<std::array<float, 2>, 8> kWays = {
          {{1, 0}, {1, 1}, {0, 1}, {-1, 1}, {-1, 0}, {-1, -1}, {0, -1}, {1, -1}}};
      const auto& way = kWays[static_cast<std::size_t>(heading)];
      const float cells = static_cast<float>(1 + random.below(i % 2 == 0 ? 8 : 3));
      const float norm = std::sqrt(way[0] * way[0] + way[1] * way[1]);
      const float length = cells * step_ * norm;
      pieces.push_back({x, y, way[0] / norm, way[1] / norm, length, width, 0, 1, bright, colour});
      x += cells * step_ * way[0];
      y += cells * step_ * way[1];
      if (i < bends) heading = (heading + (random.chance(0.5F) ? 1 : 7)) % 8;
    }
    pad();
  }
  std::vector<Piece> make_pieces(Random& random) const {
    std::vector<Piece> pieces;
    const int traces = static_cast<int>(52 * 2 * s_.half_width / (s_.scale * s_.scale));
    for (int i = 0; i < traces; ++i) add_trace(random, pieces);
    return pieces;
  }
  static std::vector<Buckets::Box> boxes(const std::vector<Piece>& pieces) {
    std::vector<Buckets::Box> boxes;
    for (const Piece& p : pieces) {
      const float ex = p.x + p.ux * p.length, ey = p.y + p.uy * p.length, r = p.width + 0.03F;
      boxes.push_back({std::min(p.x, ex) - r, std::min(p.y, ey) - r, std::max(p.x, ex) + r,
                       std::max(p.y, ey) + r});
    }
    return boxes;
  }
  Setting s_;
  std::uint32_t seed_;
  float step_;
  std::vector<Piece> pieces_;
  Buckets buckets_;
};

// Lines around the border with ornaments in the corners, on a ground that darkens outwards.
class VignetteFrame : public FamilyTraits {
 public:
  VignetteFrame(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        margin_(random.between(0.045F, 0.085F)),
        round_(random.below(4)),
        lines_(1 + random.below(3)),
        corner_(random.between(0.1F, 0.19F) * s_.scale),
        rays_(5 + random.below(5)) {
    // The line takes the colour that shows best on the ground, the veil the other one.
    const bool swap = distance(s_.second, s_.ground) > distance(s_.third, s_.ground) + 0.08F;
    line_ = swap ? s_.second : s_.third;
    veil_ = mix(lighter(s_.ground, -0.12F), swap ? s_.third : s_.second, 0.45F);
  }
  Lab operator()(float x, float y) const {
    const float nx = x / s_.half_width, ny = 2 * y, out = nx * nx * nx * nx + ny * ny * ny * ny;
    const float veil = 0.35F * hills(1.6F * x, 1.6F * y, seed_).value;
    Lab colour = mix(s_.ground, veil_, std::clamp(0.5F * out + veil * out, 0.0F, 0.8F));
    const float px = s_.half_width - margin_ - std::fabs(x), py = 0.5F - margin_ - std::fabs(y);
    for (int i = 0; i < lines_; ++i) {
      const float inset = 0.017F * static_cast<float>(i);
      const float half = std::max(i == 0 ? 0.0034F : 0.0014F, 0.6F * s_.pixel);
      const float edge = std::fabs(border(px - inset, py - inset));
      colour = mix(colour, i == 1 ? mix(veil_, line_, 0.6F) : line_,
                   0.94F * coverage(edge - half, s_.pixel));
    }
    return mix(colour, line_, 0.9F * ornament(px, py));
  }

 private:
  // The distance to the frame's line, for distances to its straight sides (inside: positive).
  float border(float px, float py) const {
    const float r = corner_ * 0.6F;
    if (round_ == 1 && px < r && py < r)  // rounded
      return r - std::sqrt((r - px) * (r - px) + (r - py) * (r - py));
    if (round_ == 2)  // scooped
      return std::min(std::min(px, py), std::sqrt(px * px + py * py) - r);
    if (round_ == 3) return std::min(std::min(px, py), 0.7071F * (px + py - r));  // cut
    return std::min(px, py);
  }
  // A fan or rings in each corner, inside the frame.
  float ornament(float px, float py) const {
    if (px < 0.03F || py < 0.03F) return 0;
    const float ax = px - 0.03F, ay = py - 0.03F, r = std::sqrt(ax * ax + ay * ay);
    if (r > corner_ || lines_ == 1) return 0;
    const float half = std::max(0.0013F, 0.55F * s_.pixel);
    if ((seed_ & 1) != 0) {  // rings
      const float ring = r / corner_ * 4;
      return coverage(std::fabs(ring - std::round(ring)) * corner_ / 4 - half, s_.pixel);
    }
    const float angle = std::atan2(ay, ax) / 1.5708F * static_cast<float>(rays_);
    const float ray =
        std::fabs(angle - std::round(angle)) * 1.5708F / static_cast<float>(rays_) * r;
    const float rim = std::fabs(r - 0.985F * corner_);
    return std::max(coverage(ray - half, s_.pixel) * smoothstep(0.15F, 0.3F, r / corner_),
                    coverage(rim - 1.4F * half, s_.pixel));
  }
  Setting s_;
  std::uint32_t seed_;
  float margin_;
  int round_, lines_;
  float corner_;
  int rays_;
  Lab line_, veil_;
};

}  // namespace affiche::diffusion
