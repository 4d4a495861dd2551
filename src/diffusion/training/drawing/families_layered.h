// SPDX-License-Identifier: Apache-2.0
// Families of layers: waves, cut paper, relief maps, contour lines.
#pragma once

#include <array>

#include "diffusion/training/drawing/brush.h"

namespace affiche::diffusion {

// Overlapping swells from top to bottom, each lit along its crest and shading the one behind.
class SoftWaves : public FamilyTraits {
 public:
  SoftWaves(const Setting& setting, Random& random) : s_(setting) {
    for (std::size_t i = 0; i < kCount; ++i) {
      const float t = static_cast<float>(i) / (kCount - 1);
      waves_[i] = {-0.26F + 0.68F * t + random.between(-0.04F, 0.04F),
                   random.between(0.035F, 0.1F) * s_.scale, random.between(1.5F, 4.0F) / s_.scale,
                   random.between(0, 6.28F), s_.tone(0.12F + 0.88F * t)};
    }
  }
  Lab operator()(float x, float y) const {
    Lab colour = lighter(s_.ground, 0.03F * (0.5F - y));
    for (const Wave& wave : waves_) {
      const float angle = wave.rate * x + wave.phase, second = 2.3F * wave.rate * x;
      const float edge = wave.place + wave.height * (std::sin(angle) + 0.35F * std::sin(second));
      const float slope = wave.height * wave.rate * (std::cos(angle) + 0.8F * std::cos(second));
      const float depth = (y - edge) / std::sqrt(1 + slope * slope);
      if (depth < 0) colour = lighter(colour, -0.07F * std::exp(26 * depth));
      if (depth < -s_.pixel) continue;
      const Lab body = lighter(wave.colour, 0.055F * std::exp(-16 * std::max(depth, 0.0F)) -
                                                0.1F * std::min(depth, 0.4F));
      colour = mix(colour, body, coverage(-depth, s_.pixel));
    }
    return colour;
  }

 private:
  static constexpr std::size_t kCount = 6;
  struct Wave {
    float place, height, rate, phase;
    Lab colour;
  };
  Setting s_;
  std::array<Wave, kCount> waves_{};
};

// Sheets of cut paper that throw a shadow on the sheet below.
class PaperLayers : public FamilyTraits {
 public:
  PaperLayers(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        turn_(random.between(-2.4F, 2.4F)),
        rate_(random.between(1.1F, 1.9F) / s_.scale) {}
  Lab operator()(float x, float y) const {
    const float u = turn_.along(x, y), v = turn_.across(x, y);
    const float span = 0.5F * (std::fabs(turn_.cosine) * 2 * s_.half_width + std::fabs(turn_.sine));
    Lab colour = s_.ground;
    for (int i = 0; i < 5; ++i) {
      const float t = static_cast<float>(i) / 4;
      const Height wave = hills(rate_ * v, 0.37F, seed_ + static_cast<std::uint32_t>(i) * 31);
      const float swing = 0.34F * s_.scale;
      const float slope = swing * rate_ * wave.dx;
      const float edge = (-0.35F + 1.1F * t) * span + swing * wave.value;
      const float depth = (u - edge) / std::sqrt(1 + slope * slope);
      const float shadow = u - edge + 0.012F;  // falls a little to one side
      if (depth < 0) colour = lighter(colour, -0.15F * std::exp(18 * std::min(shadow, 0.0F)));
      if (depth < -s_.pixel) continue;
      const Lab sheet = lighter(s_.tone(0.2F + 0.8F * t), 0.02F - 0.05F * std::min(depth, 0.5F));
      colour = mix(colour, sheet, coverage(-depth, s_.pixel));
    }
    return colour;
  }

 private:
  Setting s_;
  std::uint32_t seed_;
  Turn turn_;
  float rate_;
};

// Two octaves of hills, and how they rise.
inline Height landscape(float x, float y, float rate, std::uint32_t seed) {
  Height h = hills(rate * x, rate * y, seed);
  const Height fine = hills(2.1F * rate * x + 5, 2.1F * rate * y, seed + 1);
  h.value += 0.3F * fine.value;
  h.dx = rate * (h.dx + 0.63F * fine.dx);
  h.dy = rate * (h.dy + 0.63F * fine.dy);
  return h;
}

// Lines of equal height of a smooth landscape, every fifth one stronger.
class ContourLines : public FamilyTraits {
 public:
  ContourLines(const Setting& setting, Random& random)
      : s_(setting),
        seed_(random.bits()),
        lines_(random.between(9, 14)),
        width_(random.between(0.0022F, 0.004F)) {}
  Lab operator()(float x, float y) const {
    const Height h = landscape(x, y, 1.35F / s_.scale, seed_);
    const float value = lines_ * h.value, level = std::round(value);
    const float away = std::fabs(value - level) / (lines_ * h.slope() + 0.5F);
    const bool strong = static_cast<int>(level + 500) % 5 == 0;
    const float half = (strong ? 1.7F : 1.0F) * std::max(width_, 0.62F * s_.pixel);
    const Lab floor = mix(s_.ground, s_.third, 0.22F * smoothstep(-0.1F, 0.75F, h.value));
    const Lab line = mix(s_.second, s_.third, smoothstep(-0.2F, 0.6F, h.value));
    return mix(floor, line, (strong ? 1.0F : 0.72F) * coverage(away - half, s_.pixel));
  }

 private:
  Setting s_;
  std::uint32_t seed_;
  float lines_, width_;
};

// A relief in steps: each height has its tone and throws a shadow on the one below.
class TopographicMap : public FamilyTraits {
 public:
  TopographicMap(const Setting& setting, Random& random)
      : s_(setting), seed_(random.bits()), levels_(random.between(6, 9)) {}
  Lab operator()(float x, float y) const {
    const float rate = 1.25F / s_.scale;
    const Height h = landscape(x, y, rate, seed_);
    const float value = levels_ * (h.value + 0.55F), level = std::floor(value);
    const float slope = levels_ * h.slope() + 0.6F;
    const float down = (value - level) / slope, up = (level + 1 - value) / slope;
    const float light = (h.dx + h.dy) * 0.7F / (h.slope() + 0.4F);  // the steps face the top left
    Lab colour = lighter(shade(level), -0.11F * std::exp(-up * 46) * (0.65F + 0.35F * light));
    const float below = coverage(down, s_.pixel);  // the part of the pixel on the step below
    if (below > 0) colour = mix(colour, lighter(shade(level - 1), -0.1F), below);
    const float crest = 1 - smoothstep(0.0015F, 0.004F + s_.pixel, down);
    return lighter(colour, 0.045F * crest * (1 - below));
  }

 private:
  Lab shade(float level) const { return s_.tone(level / (levels_ * 1.02F)); }
  Setting s_;
  std::uint32_t seed_;
  float levels_;
};

}  // namespace affiche::diffusion
