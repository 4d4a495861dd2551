// SPDX-License-Identifier: Apache-2.0
// The loops of pixel_rows.h, included once for each instruction set and vectorized by the compiler.
// No function of the standard library here: the linker would keep one copy for all sets.
#pragma once

#include "cards/kernels/pixel_rows.h"

namespace affiche::cards::kernels {
namespace {

using Word = std::uint32_t;
constexpr Word kEven = 0x00ff00ffU;  // blue and red of a pixel; shifted by 8: green and alpha

// Both halves divided by 255 and rounded: (v + 128 + (v + 128) / 256) / 256 is exact below 65536.
inline Word divide(Word halves) {
  halves += 0x00800080U;
  return ((halves + ((halves >> 8) & kEven)) >> 8) & kEven;
}

inline Word mix(Word to, Word from, Word alpha) {
  const Word rest = 255 - alpha;
  const Word even = divide((to & kEven) * rest + (from & kEven) * alpha);
  const Word odd = divide(((to >> 8) & kEven) * rest + ((from >> 8) & kEven) * alpha);
  return even | (odd << 8);
}

void over(Word* to, const Word* from, int count) {
  for (int i = 0; i < count; ++i) {
    const Word rest = 255 - (from[i] >> 24);
    const Word even = divide((to[i] & kEven) * rest);
    const Word odd = divide(((to[i] >> 8) & kEven) * rest);
    to[i] = from[i] + (even | (odd << 8));
  }
}

void blend(Word* to, const Word* from, const std::uint8_t* cover, Word opacity, int count) {
  if (cover == nullptr) {
    for (int i = 0; i < count; ++i) to[i] = mix(to[i], from[i], opacity);
    return;
  }
  for (int i = 0; i < count; ++i) {
    const Word product = cover[i] * opacity + 128;
    to[i] = mix(to[i], from[i], (product + (product >> 8)) >> 8);
  }
}

// Integer hash (Wellons, "lowbias32"): the dither must not depend on any library or machine.
inline Word hash(Word x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  return x ^ (x >> 16);
}

// One channel in 1/65536; `bits`: ten random ones. The sum of two uniform numbers is triangular:
// noise that removes banding without a floor of its own (Lipshitz et al., "Quantization and
// Dither", 1992). 31 * 1057 is half a level.
inline Word tinted(Word to, Word from, Word alpha, Word bits) {
  const Word noise = ((bits & 31) + ((bits >> 5) & 31)) * 1057;
  // to * (65536 - alpha) + from * alpha with one product; the words wrap around and back.
  return ((to << 16) + (from - to) * alpha + noise + 1) >> 16;
}

inline Word least(Word a, Word b) {
  return a < b ? a : b;
}

void tint(Word* to, const std::uint16_t* strength, Word amount, Word colour, int x, int y,
          int count) {
  const Word place = static_cast<Word>(y) * 65536U + static_cast<Word>(x);
  const Word blue = colour & 255;
  const Word green = (colour >> 8) & 255;
  const Word red = (colour >> 16) & 255;
  for (int i = 0; i < count; ++i) {
    // amount of 65536 and strength of 65535 give 65535: one more makes it the colour itself.
    const Word scaled = strength[i] * (amount >> 1) >> 15;
    const Word alpha = scaled + (scaled >> 15);
    const Word bits = hash(place + static_cast<Word>(i));
    const Word old = to[i];
    const Word visible = old >> 24;
    const Word there = ((visible << 16) + (255 - visible) * alpha + 32768) >> 16;
    to[i] = least(tinted(old & 255, blue, alpha, bits >> 20), there) |
            least(tinted((old >> 8) & 255, green, alpha, bits >> 10), there) << 8 |
            least(tinted((old >> 16) & 255, red, alpha, bits), there) << 16 | there << 24;
  }
}

void to_rgb(std::uint8_t* to, const Word* from, int count) {
  for (int i = 0; i < count; ++i) {
    to[3 * i] = static_cast<std::uint8_t>(from[i] >> 16);
    to[3 * i + 1] = static_cast<std::uint8_t>(from[i] >> 8);
    to[3 * i + 2] = static_cast<std::uint8_t>(from[i]);
  }
}

void from_rgb(Word* to, const std::uint8_t* from, int count) {
  for (int i = 0; i < count; ++i) {
    to[i] = 0xff000000U | static_cast<Word>(from[3 * i]) << 16 |
            static_cast<Word>(from[3 * i + 1]) << 8 | from[3 * i + 2];
  }
}

inline std::int16_t narrow(std::int32_t value) {
  return static_cast<std::int16_t>(value < -32768 ? -32768 : value > 32767 ? 32767 : value);
}

constexpr int kRowShift = kWeightBits - kSumBits;
constexpr int kPixelShift = kWeightBits + kSumBits;

void sum_rows(std::int16_t* to, const std::uint8_t* from, std::ptrdiff_t stride, const Taps& taps,
              int count) {
  const std::uint8_t* first = from + taps.first * stride;
  constexpr int kBlock = 32;
  int i = 0;
  for (; i + kBlock <= count; i += kBlock) {
    std::int32_t sums[kBlock] = {};
    const std::uint8_t* row = first + i;
    for (int t = 0; t < taps.count; ++t, row += stride) {
      const std::int32_t weight = taps.weights[t];
      for (int k = 0; k < kBlock; ++k) sums[k] += weight * row[k];
    }
    for (int k = 0; k < kBlock; ++k) {
      to[i + k] = narrow((sums[k] + (1 << (kRowShift - 1))) >> kRowShift);
    }
  }
  for (; i < count; ++i) {
    std::int32_t sum = 1 << (kRowShift - 1);
    for (int t = 0; t < taps.count; ++t) sum += taps.weights[t] * first[t * stride + i];
    to[i] = narrow(sum >> kRowShift);
  }
}

void sum_pixels(Word* to, const std::int16_t* from, const Taps* taps, int count) {
  for (int i = 0; i < count; ++i) {
    const Taps& tap = taps[i];
    const std::int16_t* pixel = from + static_cast<std::ptrdiff_t>(tap.first) * 4;
    constexpr std::int32_t kHalf = 1 << (kPixelShift - 1);
    std::int32_t sums[4] = {kHalf, kHalf, kHalf, kHalf};
    for (int t = 0; t < tap.count; ++t, pixel += 4) {
      for (int c = 0; c < 4; ++c) sums[c] += tap.weights[t] * pixel[c];
    }
    Word word = 0xff000000U;
    for (int c = 0; c < 3; ++c) {
      const std::int32_t level = sums[c] >> kPixelShift;
      word |= static_cast<Word>(level < 0 ? 0 : level > 255 ? 255 : level) << (8 * c);
    }
    to[i] = word;
  }
}

constexpr PixelRows kRows = {over, blend, tint, to_rgb, from_rgb, sum_rows, sum_pixels};

}  // namespace
}  // namespace affiche::cards::kernels
