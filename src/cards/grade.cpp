// SPDX-License-Identifier: Apache-2.0
#include "cards/grade.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "imaging/oklab.h"

namespace affiche::cards {
namespace {

constexpr float kMostShift = 0.04F;
// Brands' colours are stronger than any photograph's mean should become.
constexpr float kMostChroma = 0.07F;

float length(const Tone& tone) {
  return std::hypot(tone[0], tone[1]);
}

Tone limited(const Tone& tone, float most) {
  const float size = length(tone);
  const float share = size > most ? most / size : 1;
  return {tone[0] * share, tone[1] * share};
}

// Of every 16th pixel.
Tone mean_of(const Image& picture) {
  Tone sum = {0, 0};
  float count = 0;
  for (std::size_t at = 0; at + 2 < picture.pixels.size(); at += 48) {
    const Oklab lab = lab_of_srgb(picture.pixels.data() + at);
    sum[0] += lab.a;
    sum[1] += lab.b;
    ++count;
  }
  count = std::max(count, 1.0F);
  return {sum[0] / count, sum[1] / count};
}

// WCAG's relative luminance.
float light_of(const std::array<float, 3>& linear) {
  return 0.2126F * linear[0] + 0.7152F * linear[1] + 0.0722F * linear[2];
}

// One colour shifted. OKLab is a cube root of light: a factor to all three is one to the light,
// which gives the luminance back.
std::array<float, 3> shifted(const std::array<float, 3>& levels, const Tone& shift) {
  const Oklab from = lab_of_levels(levels);
  const float light = light_of(linear_of_lab(from));
  const float middle = 2 * from.lightness - 1;
  float share = std::max(0.0F, 1 - middle * middle * middle * middle);
  for (int tries = 0; tries < 6 && share > 0; ++tries, share /= 2) {
    Oklab to = from + Oklab{0, shift[0], shift[1]} * share;
    const float now = light_of(linear_of_lab(to));
    if (!(now > 0)) continue;
    to = to * std::cbrt(light / now);
    const std::array<float, 3> linear = linear_of_lab(to);
    const bool inside = std::all_of(linear.begin(), linear.end(),
                                    [](float c) { return c >= -0.0005F && c <= 1.0005F; });
    if (inside) return levels_of_lab(to);
  }
  return levels;
}

// What the shift adds to a colour, for 17 levels of each channel; between them it is close to even.
class ShiftTable {
 public:
  explicit ShiftTable(const Tone& shift) : added_(kSide * kSide * kSide) {
    for (std::size_t i = 0; i < added_.size(); ++i) {
      const std::array<float, 3> levels = {level(i / (kSide * kSide)), level(i / kSide % kSide),
                                           level(i % kSide)};
      const std::array<float, 3> to = shifted(levels, shift);
      for (std::size_t c = 0; c < 3; ++c) added_[i][c] = to[c] - levels[c];
    }
  }

  void apply(std::uint8_t* rgb) const {
    std::array<std::size_t, 3> cell{};
    std::array<float, 3> part{};
    for (std::size_t c = 0; c < 3; ++c) {
      const float place = static_cast<float>(rgb[c]) * static_cast<float>(kSide - 1) / 255.0F;
      cell[c] = std::min(static_cast<std::size_t>(place), kSide - 2);
      part[c] = place - static_cast<float>(cell[c]);
    }
    std::array<float, 3> sum = {0.5F, 0.5F, 0.5F};
    for (std::size_t corner = 0; corner < 8; ++corner) {
      const std::array<std::size_t, 3> far = {corner >> 2, corner >> 1 & 1, corner & 1};
      float weight = 1;
      for (std::size_t c = 0; c < 3; ++c) weight *= far[c] == 1 ? part[c] : 1 - part[c];
      const std::array<float, 3>& added =
          added_[((cell[0] + far[0]) * kSide + cell[1] + far[1]) * kSide + cell[2] + far[2]];
      for (std::size_t c = 0; c < 3; ++c) sum[c] += weight * added[c];
    }
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[c] =
          static_cast<std::uint8_t>(std::clamp(static_cast<float>(rgb[c]) + sum[c], 0.0F, 255.0F));
    }
  }

 private:
  static constexpr std::size_t kSide = 17;
  static float level(std::size_t step) {
    return static_cast<float>(step) * 255.0F / static_cast<float>(kSide - 1);
  }
  std::vector<std::array<float, 3>> added_;
};

}  // namespace

Tone tone_of(const Colour& colour) {
  const std::array<std::uint8_t, 3> rgb = {colour.red, colour.green, colour.blue};
  const Oklab lab = lab_of_srgb(rgb.data());
  return {lab.a, lab.b};
}

Tone tone_of(const Brand& brand) {
  Tone sum = {0, 0};
  float weights = 0;
  for (const auto& [name, colour] : brand.colours) {
    const Tone tone = tone_of(colour);
    const float weight = length(tone);
    sum[0] += tone[0] * weight;
    sum[1] += tone[1] * weight;
    weights += weight;
  }
  if (weights < 1e-4F) return {0, 0};
  return {sum[0] / weights, sum[1] / weights};
}

void grade(Image& picture, const Tone& tone, double amount) {
  const Tone target = limited(tone, kMostChroma);
  const Tone mean = mean_of(picture);
  Tone shift = limited({target[0] - mean[0], target[1] - mean[1]}, kMostShift);
  for (float& part : shift) part *= static_cast<float>(amount);
  if (length(shift) < 1e-4F) return;
  const ShiftTable table(shift);
  for (std::size_t at = 0; at + 2 < picture.pixels.size(); at += 3) {
    table.apply(picture.pixels.data() + at);
  }
}

}  // namespace affiche::cards
