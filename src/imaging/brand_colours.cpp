// SPDX-License-Identifier: Apache-2.0
#include "imaging/brand_colours.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "imaging/ciede2000.h"
#include "imaging/deband.h"
#include "imaging/main_colours.h"

namespace affiche {
namespace {

// Colours that move by given ways, and all others by the mean of their neighbours' ways.
class Movement {
 public:
  static constexpr std::size_t kMost = 8;
  struct Anchor {
    Oklab from, way;
    float pull = 0;  // how much of its surroundings' distance to it is taken away
  };
  explicit Movement(std::vector<Anchor> anchors) : anchors_(std::move(anchors)) {
    float least = 0.3F;
    for (std::size_t i = 0; i < anchors_.size(); ++i)
      for (std::size_t j = 0; j < i; ++j)
        least = std::min(least, distance(anchors_[i].from, anchors_[j].from));
    // Wide enough to stretch ramps between two anchors evenly, narrow enough to tell them apart.
    const float reach = std::max(0.05F, 0.42F * least);
    sharpness_ = 1 / (2 * reach * reach);
  }
  Oklab operator()(Oklab colour) const {
    std::array<float, kMost> away{};
    float least = 1e9F;
    for (std::size_t i = 0; i < anchors_.size(); ++i) {
      const Oklab d = colour - anchors_[i].from;
      away[i] = d.lightness * d.lightness + d.a * d.a + d.b * d.b;
      least = std::min(least, away[i]);
    }
    Oklab way;
    float weights = 0;
    for (std::size_t i = 0; i < anchors_.size(); ++i) {
      const float weight = std::exp((least - away[i]) * sharpness_);
      const Oklab inwards = (anchors_[i].from - colour) * anchors_[i].pull;
      way = way + (anchors_[i].way + inwards) * weight;
      weights += weight;
    }
    return colour + way * (1 / weights);
  }

 private:
  std::vector<Anchor> anchors_;
  float sharpness_ = 1;
};

double nearest_in(Oklab colour, std::span<const Oklab> palette) {
  double least = 1e9;
  for (const Oklab other : palette) least = std::min(least, ciede2000(colour, other));
  return least;
}

double worst_of_two(std::span<const MainColour> colours, std::span<const Oklab> palette) {
  double worst = 0;
  for (std::size_t i = 0; i < std::min<std::size_t>(2, colours.size()); ++i)
    worst = std::max(worst, nearest_in(colours[i].colour, palette));
  return worst;
}

float square(float x) {
  return x * x;
}

// The two colours of the palette that the two main ones take: near ones, in the same order of
// lightness, so that shapes that are lighter than the ground stay so.
std::array<Oklab, 2> partners(std::span<const MainColour> colours, std::span<const Oklab> palette) {
  const MainColour first = colours[0], second = colours.size() > 1 ? colours[1] : colours[0];
  std::array<Oklab, 2> best = {palette[0], palette[0]};
  float least = 1e9F;
  for (std::size_t i = 0; i < palette.size(); ++i)
    for (std::size_t j = 0; j < palette.size(); ++j) {
      if (i == j && palette.size() > 1 && colours.size() > 1) continue;
      if (i != j && colours.size() > 1 && distance(palette[i], palette[j]) < 0.02F) continue;
      const float before = second.colour.lightness - first.colour.lightness;
      const float after = palette[j].lightness - palette[i].lightness;
      const bool turned = before * after < 0 && std::fabs(before) > 0.06F;
      const float cost = first.share * square(distance(first.colour, palette[i])) +
                         second.share * square(distance(second.colour, palette[j])) +
                         (turned ? 0.3F * second.share * std::fabs(after) : 0);
      if (cost < least) {
        least = cost;
        best = {palette[i], palette[j]};
      }
    }
  return best;
}

// The nearest mixture of two colours of the palette, half-way in lightness.
Oklab nearest_mixture(Oklab colour, std::span<const Oklab> palette) {
  Oklab best = colour;
  float least = 1e9F;
  for (const Oklab p : palette)
    for (const Oklab q : palette) {
      const Oklab way = q - p, off = colour - p;
      const float length = square(way.lightness) + square(way.a) + square(way.b);
      const float along = way.lightness * off.lightness + way.a * off.a + way.b * off.b;
      const float t = length > 0 ? std::clamp(along / length, 0.0F, 1.0F) : 0;
      Oklab mixture = mix(p, q, t);
      const float away = distance(colour, mixture);
      if (away >= least) continue;
      least = away;
      mixture.lightness = (mixture.lightness + colour.lightness) / 2;
      best = mixture;
    }
  return best;
}

// One step after the other.
struct Way {
  std::vector<Movement> steps;
  Oklab operator()(Oklab colour) const {
    for (const Movement& step : steps) colour = step(colour);
    return into_gamut(colour);
  }
};

Oklab nearest_of(Oklab colour, std::span<const Oklab> palette) {
  return *std::min_element(palette.begin(), palette.end(), [&](Oklab p, Oklab q) {
    return ciede2000(colour, p) < ciede2000(colour, q);
  });
}

Movement step_to(std::span<const MainColour> colours, std::span<const Oklab> palette, int step) {
  const bool first = step == 0;
  const std::array<Oklab, 2> chosen = partners(colours, palette);
  std::vector<Movement::Anchor> anchors;
  for (std::size_t i = 0; i < std::min(colours.size(), Movement::kMost); ++i) {
    const Oklab from = colours[i].colour;
    // Groups that do not settle are drawn together a little.
    const float pull = step < 8 ? 0 : 0.2F;
    if (i < 2)
      anchors.push_back({from, (first ? chosen[i] : nearest_of(from, palette)) - from, pull});
    else
      anchors.push_back({from, first ? (nearest_mixture(from, palette) - from) * 0.9F : Oklab{}});
  }
  return Movement(std::move(anchors));
}

// Moving changes which colours form a group, so where the groups end up is measured, and smaller
// steps follow until the two main ones are at colours of the palette.
Way find_way(std::vector<Oklab> samples, std::span<const Oklab> palette, int begin) {
  constexpr int kSteps = 20;
  constexpr double kGoodEnough = 0.8;
  Way way, best;
  double least = 1e9;
  for (int i = 0; i <= kSteps; ++i) {
    const std::vector<MainColour> colours = main_colours(samples);
    const double worst = worst_of_two(colours, palette);
    if (i > 0 && worst < least) {
      least = worst;
      best = way;
    }
    if (i > 0 && worst < kGoodEnough) break;
    way.steps.push_back(step_to(colours, palette, begin + i));
    for (Oklab& sample : samples) sample = into_gamut(way.steps.back()(sample));
  }
  return best;
}

// A way as a table over red, green and blue, so that a pixel costs no roots.
class Table {
 public:
  explicit Table(const Way& way) : cells_(kSide * kSide * kSide) {
    for (std::size_t r = 0; r < kSide; ++r)
      for (std::size_t g = 0; g < kSide; ++g)
        for (std::size_t b = 0; b < kSide; ++b) {
          const auto level = [](std::size_t i) { return static_cast<float>(i) * kStep; };
          const Oklab colour = lab_of_levels({level(r), level(g), level(b)});
          cells_[(r * kSide + g) * kSide + b] = levels_of_lab(way(colour));
        }
  }
  std::array<float, 3> at(const float* levels) const {
    std::array<std::size_t, 3> low{};
    std::array<float, 3> part{};
    for (std::size_t c = 0; c < 3; ++c) {
      const float place = std::clamp(levels[c], 0.0F, 255.0F) / kStep;
      low[c] = std::min(static_cast<std::size_t>(place), kSide - 2);
      part[c] = place - static_cast<float>(low[c]);
    }
    std::array<float, 3> sum{};
    for (std::size_t corner = 0; corner < 8; ++corner) {
      float weight = 1;
      std::size_t index = 0;
      for (std::size_t c = 0; c < 3; ++c) {
        const std::size_t up = (corner >> c) & 1;
        weight *= up != 0 ? part[c] : 1 - part[c];
        index = index * kSide + low[c] + up;
      }
      for (std::size_t c = 0; c < 3; ++c) sum[c] += weight * cells_[index][c];
    }
    return sum;
  }

 private:
  static constexpr std::size_t kSide = 33;
  static constexpr float kStep = 255.0F / (kSide - 1);
  std::vector<std::array<float, 3>> cells_;
};

Image rendered(const Image& image, const std::vector<float>& levels, const Table& table) {
  Image result = image;
  for (int y = 0; y < image.height; ++y)
    for (int x = 0; x < image.width; ++x) {
      const auto pixel = static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                         static_cast<std::size_t>(x);
      put_dithered(table.at(&levels[pixel * 3]), x, y,
                   &result.pixels[pixel * static_cast<std::size_t>(image.channels)]);
    }
  return result;
}

}  // namespace

Image to_brand_colours(const Image& image, std::span<const Oklab> palette) {
  if (image.empty() || palette.empty()) return image;
  // Rounding to eight bits may still tip a group over; then its new place is corrected too.
  constexpr int kRenderings = 4;
  constexpr double kGoodEnough = 2;
  const std::vector<float> levels = fine_levels(image);
  Way way;
  Image present = image, best;
  double least = 1e9;
  for (int i = 0; i < kRenderings && least > kGoodEnough; ++i) {
    const Way more = find_way(colour_samples(present), palette, i * 4);
    way.steps.insert(way.steps.end(), more.steps.begin(), more.steps.end());
    present = rendered(image, levels, Table(way));
    const double worst = brand_distance(present, palette);
    if (worst >= least) continue;
    least = worst;
    best = present;
  }
  return best;
}

double brand_distance(const Image& image, std::span<const Oklab> palette) {
  if (image.empty() || palette.empty()) return 0;
  return worst_of_two(main_colours(image), palette);
}

}  // namespace affiche
