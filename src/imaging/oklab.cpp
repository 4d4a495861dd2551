// SPDX-License-Identifier: Apache-2.0
#include "imaging/oklab.h"

#include <algorithm>
#include <vector>

namespace affiche {
namespace {

float linear_of_level(float level) {
  const float s = level / 255;
  return s <= 0.04045F ? s / 12.92F : std::pow((s + 0.055F) / 1.055F, 2.4F);
}

const std::array<float, 256>& linear_table() {
  static const auto table = [] {
    std::array<float, 256> t{};
    for (std::size_t i = 0; i < t.size(); ++i) t[i] = linear_of_level(static_cast<float>(i));
    return t;
  }();
  return table;
}

constexpr int kSteps = 4096;

// By the square root of the linear value: its steps are then about equally fine everywhere.
const std::array<float, kSteps + 1>& level_table() {
  static const auto table = [] {
    std::array<float, kSteps + 1> t{};
    for (int i = 0; i <= kSteps; ++i) {
      const double root = static_cast<double>(i) / kSteps, x = root * root;
      const double s = x <= 0.0031308 ? 12.92 * x : 1.055 * std::pow(x, 1 / 2.4) - 0.055;
      t[static_cast<std::size_t>(i)] = static_cast<float>(s * 255);
    }
    return t;
  }();
  return table;
}

Oklab lab_of_linear(float r, float g, float b) {
  const float l = std::cbrt(0.4122214708F * r + 0.5363325363F * g + 0.0514459929F * b);
  const float m = std::cbrt(0.2119034982F * r + 0.6806995451F * g + 0.1073969566F * b);
  const float s = std::cbrt(0.0883024619F * r + 0.2817188376F * g + 0.6299787005F * b);
  return {0.2104542553F * l + 0.7936177850F * m - 0.0040720468F * s,
          1.9779984951F * l - 2.4285922050F * m + 0.4505937099F * s,
          0.0259040371F * l + 0.7827717662F * m - 0.8086757660F * s};
}

}  // namespace

Oklab lab_of_srgb(std::uint32_t rrggbb) {
  const auto& table = linear_table();
  return lab_of_linear(table[(rrggbb >> 16) & 255], table[(rrggbb >> 8) & 255],
                       table[rrggbb & 255]);
}

Oklab lab_of_srgb(const std::uint8_t* rgb) {
  const auto& table = linear_table();
  return lab_of_linear(table[rgb[0]], table[rgb[1]], table[rgb[2]]);
}

Oklab lab_of_levels(const std::array<float, 3>& levels) {
  return lab_of_linear(linear_of_level(levels[0]), linear_of_level(levels[1]),
                       linear_of_level(levels[2]));
}

std::array<float, 3> linear_of_lab(Oklab colour) {
  const float l = colour.lightness + 0.3963377774F * colour.a + 0.2158037573F * colour.b;
  const float m = colour.lightness - 0.1055613458F * colour.a - 0.0638541728F * colour.b;
  const float s = colour.lightness - 0.0894841775F * colour.a - 1.2914855480F * colour.b;
  const float l3 = l * l * l, m3 = m * m * m, s3 = s * s * s;
  return {4.0767416621F * l3 - 3.3077115913F * m3 + 0.2309699292F * s3,
          -1.2684380046F * l3 + 2.6097574011F * m3 - 0.3413193965F * s3,
          -0.0041960863F * l3 - 0.7034186147F * m3 + 1.7076147010F * s3};
}

std::array<float, 3> levels_of_lab(Oklab colour) {
  const auto& table = level_table();
  std::array<float, 3> levels = linear_of_lab(colour);
  for (float& level : levels) {
    const float place = std::sqrt(std::clamp(level, 0.0F, 1.0F)) * kSteps;
    level = table[static_cast<std::size_t>(place + 0.5F)];
  }
  return levels;
}

void put_srgb(Oklab colour, std::uint8_t* rgb) {
  const std::array<float, 3> levels = levels_of_lab(colour);
  for (std::size_t c = 0; c < 3; ++c) rgb[c] = static_cast<std::uint8_t>(levels[c] + 0.5F);
}

std::uint32_t srgb_of_lab(Oklab colour) {
  std::uint8_t rgb[3];
  put_srgb(colour, rgb);
  return std::uint32_t{rgb[0]} << 16 | std::uint32_t{rgb[1]} << 8 | rgb[2];
}

Oklab into_gamut(Oklab colour) {
  const auto holds = [](Oklab c) {
    const auto linear = linear_of_lab(c);
    return std::all_of(linear.begin(), linear.end(),
                       [](float v) { return v >= -1e-4F && v <= 1 + 1e-4F; });
  };
  colour.lightness = std::clamp(colour.lightness, 0.0F, 1.0F);
  if (holds(colour)) return colour;
  float low = 0, high = 1;
  for (int i = 0; i < 12; ++i) {
    const float middle = (low + high) / 2;
    (holds({colour.lightness, colour.a * middle, colour.b * middle}) ? low : high) = middle;
  }
  return {colour.lightness, colour.a * low, colour.b * low};
}

}  // namespace affiche
