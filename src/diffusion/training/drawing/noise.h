// SPDX-License-Identifier: Apache-2.0
// Smooth pseudo-random functions of the plane, defined inline because every pixel asks for them.
#pragma once

#include <cmath>
#include <cstdint>

namespace affiche::diffusion {

inline float smoothstep(float low, float high, float x) {
  float t = (x - low) / (high - low);
  t = t < 0 ? 0 : (t > 1 ? 1 : t);
  return t * t * (3 - 2 * t);
}

// Uniform in [0, 1) for a lattice point.
inline float lattice(int x, int y, std::uint32_t seed) {
  std::uint32_t h = static_cast<std::uint32_t>(x) * 0x8da6b343U ^
                    static_cast<std::uint32_t>(y) * 0xd8163841U ^ seed * 0xcb1ab31fU;
  h = (h ^ (h >> 15)) * 0x2c1b3c6dU;
  h = (h ^ (h >> 12)) * 0x297a2d39U;
  return static_cast<float>((h ^ (h >> 15)) >> 8) * 0x1p-24F;
}

// Value noise in [0, 1), cell size 1, continuous second derivative (Perlin's quintic fade).
inline float noise(float x, float y, std::uint32_t seed) {
  const float fx = std::floor(x), fy = std::floor(y);
  const int ix = static_cast<int>(fx), iy = static_cast<int>(fy);
  const float u = x - fx, v = y - fy;
  const float s = u * u * u * (u * (u * 6 - 15) + 10), t = v * v * v * (v * (v * 6 - 15) + 10);
  const float top = lattice(ix, iy, seed) * (1 - s) + lattice(ix + 1, iy, seed) * s;
  const float low = lattice(ix, iy + 1, seed) * (1 - s) + lattice(ix + 1, iy + 1, seed) * s;
  return top * (1 - t) + low * t;
}

// Three octaves of noise, in [0, 1).
inline float fractal(float x, float y, std::uint32_t seed) {
  return 0.57F * noise(x, y, seed) + 0.29F * noise(2.03F * x, 2.03F * y, seed + 1) +
         0.14F * noise(4.1F * x, 4.1F * y, seed + 2);
}

}  // namespace affiche::diffusion
