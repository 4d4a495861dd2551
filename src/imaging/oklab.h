// SPDX-License-Identifier: Apache-2.0
// OKLab (B. Ottosson 2020): colours in which equal steps look equal and the way between two of them
// stays clean; mixing in sRGB would turn teal and coral into mud. All functions are thread-safe.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace affiche {

struct Oklab {
  float lightness = 0, a = 0, b = 0;  // lightness 0 to 1
};

inline Oklab operator+(Oklab p, Oklab q) {
  return {p.lightness + q.lightness, p.a + q.a, p.b + q.b};
}
inline Oklab operator-(Oklab p, Oklab q) {
  return {p.lightness - q.lightness, p.a - q.a, p.b - q.b};
}
inline Oklab operator*(Oklab p, float s) {
  return {p.lightness * s, p.a * s, p.b * s};
}
inline Oklab mix(Oklab p, Oklab q, float t) {
  return p * (1 - t) + q * t;
}
inline float chroma(Oklab p) {
  return std::sqrt(p.a * p.a + p.b * p.b);
}
// Euclidean; about 0.02 is a just visible difference.
inline float distance(Oklab p, Oklab q) {
  const Oklab d = p - q;
  return std::sqrt(d.lightness * d.lightness + d.a * d.a + d.b * d.b);
}

Oklab lab_of_srgb(std::uint32_t rrggbb);
Oklab lab_of_srgb(const std::uint8_t* rgb);
// Levels 0 to 255, which may lie between two integers.
Oklab lab_of_levels(const std::array<float, 3>& levels);

// Linear sRGB; below 0 or above 1 where sRGB has no such colour.
std::array<float, 3> linear_of_lab(Oklab colour);
// Levels 0 to 255 before rounding; colours outside sRGB are clipped per channel. Precise to a
// tenth of a level.
std::array<float, 3> levels_of_lab(Oklab colour);
// Rounded to three bytes; 0xRRGGBB.
void put_srgb(Oklab colour, std::uint8_t* rgb);
std::uint32_t srgb_of_lab(Oklab colour);
// The same hue and lightness with as much of the chroma as sRGB holds.
Oklab into_gamut(Oklab colour);

// Levels as three bytes, rounded up or down by chance, so that a smooth ramp does not fall into
// bands. The chance hangs on the position alone: the same picture gives the same bytes, and whole
// levels stay as they are.
inline void put_dithered(const std::array<float, 3>& levels, int x, int y, std::uint8_t* rgb) {
  std::uint32_t h = static_cast<std::uint32_t>(x) * 0x8da6b343U ^
                    static_cast<std::uint32_t>(y) * 0xd8163841U ^ 0x9e3779b9U;
  h = (h ^ (h >> 15)) * 0x2c1b3c6dU;
  h = (h ^ (h >> 12)) * 0x297a2d39U;
  h ^= h >> 15;
  for (std::size_t c = 0; c < 3; ++c) {
    const float up = static_cast<float>((h >> (10 * c)) & 1023) * (1.0F / 1024) + 0.0005F;
    const float level = levels[c] + up;
    rgb[c] = static_cast<std::uint8_t>(level < 0 ? 0 : (level > 255 ? 255 : level));
  }
}

}  // namespace affiche
