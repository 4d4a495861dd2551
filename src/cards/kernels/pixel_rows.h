// SPDX-License-Identifier: Apache-2.0
// The inner loops of the compositor, on rows of cairo's pixels (words 0xAARRGGBB, colours times
// alpha). Integers only, so that every CPU gives the same bytes; the best variant for this CPU is
// chosen at run time.
#pragma once

#include <cstdint>

namespace affiche::cards::kernels {

// A filter's taps for one row or pixel: `count` weights from source index `first` on, in 1/16384.
// After them stand zeros up to a multiple of kTapStep.
struct Taps {
  int first = 0;
  int count = 0;
  const std::int16_t* weights = nullptr;
};
constexpr int kWeightBits = 14;
constexpr int kSumBits = 6;  // of a level's fraction between the two sums
constexpr int kTapStep = 4;

struct PixelRows {
  // `from` over `to`, both of `count` pixels.
  void (*over)(std::uint32_t* to, const std::uint32_t* from, int count);
  // Opaque `from` mixed into `to` by cover * opacity; cover: a byte per pixel, or null for 255.
  void (*blend)(std::uint32_t* to, const std::uint32_t* from, const std::uint8_t* cover,
                std::uint32_t opacity, int count);
  // `colour` mixed in by strength * amount / 65535, `amount` at most 65536, with triangular noise
  // of half a level by the pixel's place, which starts at `x` and `y`.
  void (*tint)(std::uint32_t* to, const std::uint16_t* strength, std::uint32_t amount,
               std::uint32_t colour, int x, int y, int count);
  void (*to_rgb)(std::uint8_t* to, const std::uint32_t* from, int count);
  void (*from_rgb)(std::uint32_t* to, const std::uint8_t* from, int count);
  // Weighted sum of `taps.count` rows of bytes, `stride` apart, in 1/64 of a level.
  void (*sum_rows)(std::int16_t* to, const std::uint8_t* from, std::ptrdiff_t stride,
                   const Taps& taps, int count);
  // Four such sums a pixel, summed by each pixel's taps and rounded to bytes, opaque. Beyond the
  // last tap kTapStep - 1 pixels are read, whatever they hold.
  void (*sum_pixels)(std::uint32_t* to, const std::int16_t* from, const Taps* taps, int count);
};

const PixelRows& pixel_rows();
// Without any instruction set beyond the baseline: what the others are tested against.
const PixelRows& portable_pixel_rows();

// One variant, compiled with -mavx2; only called where the CPU has it.
const PixelRows& avx2_pixel_rows();

}  // namespace affiche::cards::kernels
