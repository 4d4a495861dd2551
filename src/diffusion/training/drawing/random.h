// SPDX-License-Identifier: Apache-2.0
// A small random generator with the same numbers on every machine and standard library, so that a
// seed names a picture (PCG-XSH-RR 64/32, M. O'Neill 2014).
#pragma once

#include <cstdint>

namespace affiche::diffusion {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(mix(seed)) {}

  std::uint32_t bits() {
    const std::uint64_t old = state_;
    state_ = old * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto shifted = static_cast<std::uint32_t>(((old >> 18) ^ old) >> 27);
    const auto turn = static_cast<std::uint32_t>(old >> 59);
    return (shifted >> turn) | (shifted << ((32 - turn) & 31));
  }
  // Uniform in [0, 1), in [low, high), in {0 … count-1}.
  float unit() { return static_cast<float>(bits() >> 8) * 0x1p-24F; }
  float between(float low, float high) { return low + (high - low) * unit(); }
  int below(int count) {
    return static_cast<int>((std::uint64_t{bits()} * static_cast<std::uint64_t>(count)) >> 32);
  }
  bool chance(float probability) { return unit() < probability; }

  // SplitMix64's finaliser: neighbouring seeds give unrelated streams.
  static std::uint64_t mix(std::uint64_t x) {
    x += 0x9e3779b97f4a7c15ULL;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
    return x ^ (x >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace affiche::diffusion
