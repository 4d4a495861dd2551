// SPDX-License-Identifier: Apache-2.0
// Smooth pseudo-random functions of the plane, defined inline because every pixel asks for them.
#pragma once

#include <array>
#include <cmath>
#include <cstdint>

namespace affiche::diffusion {

inline float smoothstep(float low, float high, float x) {
  float t = (x - low) / (high - low);
  t = t < 0 ? 0 : (t > 1 ? 1 : t);
  return t * t * (3 - 2 * t);
}

// std::floor without a call where the CPU has no instruction for it.
inline int floor_of(float x) {
  const int whole = static_cast<int>(x);
  return whole - (x < static_cast<float>(whole) ? 1 : 0);
}

inline std::uint32_t lattice_bits(int x, int y, std::uint32_t seed) {
  std::uint32_t h = static_cast<std::uint32_t>(x) * 0x8da6b343U ^
                    static_cast<std::uint32_t>(y) * 0xd8163841U ^ seed * 0xcb1ab31fU;
  h = (h ^ (h >> 15)) * 0x2c1b3c6dU;
  h = (h ^ (h >> 12)) * 0x297a2d39U;
  return h ^ (h >> 15);
}

// Uniform in [0, 1) for a lattice point.
inline float lattice(int x, int y, std::uint32_t seed) {
  return static_cast<float>(lattice_bits(x, y, seed) >> 8) * 0x1p-24F;
}

// Value noise in [0, 1), cell size 1, continuous second derivative (Perlin's quintic fade).
inline float noise(float x, float y, std::uint32_t seed) {
  const int ix = floor_of(x), iy = floor_of(y);
  const float u = x - static_cast<float>(ix), v = y - static_cast<float>(iy);
  const float s = u * u * u * (u * (u * 6 - 15) + 10), t = v * v * v * (v * (v * 6 - 15) + 10);
  const float top = lattice(ix, iy, seed) * (1 - s) + lattice(ix + 1, iy, seed) * s;
  const float low = lattice(ix, iy + 1, seed) * (1 - s) + lattice(ix + 1, iy + 1, seed) * s;
  return top * (1 - t) + low * t;
}

// A height and its slope: the slope tells how wide a pixel is on a line of equal height, which is
// what a line needs to have smooth edges.
struct Height {
  float value, dx, dy;
  float slope() const { return std::sqrt(dx * dx + dy * dy); }
};

// 32 directions, so that no axis is preferred visibly.
inline const std::array<std::array<float, 2>, 32>& directions() {
  static const auto table = [] {
    std::array<std::array<float, 2>, 32> t{};
    for (std::size_t i = 0; i < t.size(); ++i) {
      const float angle = (static_cast<float>(i) + 0.5F) * (6.2831853F / 32);
      t[i] = {std::cos(angle), std::sin(angle)};
    }
    return t;
  }();
  return table;
}

// Gradient noise (K. Perlin 2002), about -0.8 to 0.8, rounder than value noise.
inline Height hills(float x, float y, std::uint32_t seed) {
  const auto& table = directions();
  const int ix = floor_of(x), iy = floor_of(y);
  const float u = x - static_cast<float>(ix), v = y - static_cast<float>(iy);
  const float s = u * u * u * (u * (u * 6 - 15) + 10), t = v * v * v * (v * (v * 6 - 15) + 10);
  const float ds = 30 * u * u * (u * (u - 2) + 1), dt = 30 * v * v * (v * (v - 2) + 1);
  const auto& a = table[lattice_bits(ix, iy, seed) >> 27];
  const auto& b = table[lattice_bits(ix + 1, iy, seed) >> 27];
  const auto& c = table[lattice_bits(ix, iy + 1, seed) >> 27];
  const auto& d = table[lattice_bits(ix + 1, iy + 1, seed) >> 27];
  const float va = a[0] * u + a[1] * v, vb = b[0] * (u - 1) + b[1] * v;
  const float vc = c[0] * u + c[1] * (v - 1), vd = d[0] * (u - 1) + d[1] * (v - 1);
  const float k = va - vb - vc + vd;
  return {va + s * (vb - va) + t * (vc - va) + s * t * k,
          a[0] + s * (b[0] - a[0]) + t * (c[0] - a[0]) + s * t * (a[0] - b[0] - c[0] + d[0]) +
              ds * (vb - va + t * k),
          a[1] + s * (b[1] - a[1]) + t * (c[1] - a[1]) + s * t * (a[1] - b[1] - c[1] + d[1]) +
              dt * (vc - va + s * k)};
}

// Three octaves of gradient noise, about 0 to 1.
inline float fractal(float x, float y, std::uint32_t seed) {
  return 0.5F +
         0.5F * (hills(x, y, seed).value + 0.5F * hills(2.03F * x, 2.03F * y, seed + 1).value +
                 0.25F * hills(4.1F * x, 4.1F * y, seed + 2).value);
}

}  // namespace affiche::diffusion
