// SPDX-License-Identifier: Apache-2.0
// Compiled with -mavx2. By hand is what the compiler makes five times slower from the plain loops:
// sums of products of 16-bit numbers, two taps an instruction, and three bytes a pixel. All sums
// are of integers, so their order does not matter.
#include <immintrin.h>

#include "cards/kernels/pixel_rows_loops.h"

namespace affiche::cards::kernels {
namespace {

// 32 bits at a place of no alignment.
inline int word_at(const void* from) {
  int word = 0;
  __builtin_memcpy(&word, from, sizeof word);
  return word;
}

// Bytes of a row beside those of the next one, as 16-bit numbers times their two weights.
inline __m256i pairs(__m128i bytes, __m256i weights) {
  return _mm256_madd_epi16(_mm256_cvtepu8_epi16(bytes), weights);
}

void sum_rows_by_pairs(std::int16_t* to, const std::uint8_t* from, std::ptrdiff_t stride,
                       const Taps& taps, int count) {
  const std::uint8_t* first = from + taps.first * stride;
  const __m256i half = _mm256_set1_epi32(1 << (kRowShift - 1));
  int i = 0;
  for (; i + 16 <= count; i += 16) {
    __m256i low = half;
    __m256i high = half;
    const std::uint8_t* row = first + i;
    for (int t = 0; t < taps.count; t += 2, row += 2 * stride) {
      const __m256i weights = _mm256_set1_epi32(word_at(taps.weights + t));
      const __m128i one = _mm_loadu_si128(reinterpret_cast<const __m128i*>(row));
      // Beyond the last tap the weight is zero, but the row may be none.
      const __m128i two = t + 1 < taps.count
                              ? _mm_loadu_si128(reinterpret_cast<const __m128i*>(row + stride))
                              : one;
      low = _mm256_add_epi32(low, pairs(_mm_unpacklo_epi8(one, two), weights));
      high = _mm256_add_epi32(high, pairs(_mm_unpackhi_epi8(one, two), weights));
    }
    // Packing works by halves of the register: 0-3, 8-11, 4-7, 12-15.
    const __m256i mixed =
        _mm256_packs_epi32(_mm256_srai_epi32(low, kRowShift), _mm256_srai_epi32(high, kRowShift));
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(to + i), _mm256_permute4x64_epi64(mixed, 0xd8));
  }
  if (i < count) sum_rows(to + i, from + i, stride, taps, count - i);
}

// Taps 0 and 2 of four: their sums are in the lower half, those of the others in the upper.
inline __m256i sum_taps(const std::int16_t* from, const Taps& tap) {
  // b g r x b g r x of two pixels to b b g g r r x x.
  const __m256i beside = _mm256_setr_epi8(0, 1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15, 0,
                                          1, 8, 9, 2, 3, 10, 11, 4, 5, 12, 13, 6, 7, 14, 15);
  const __m256i spread = _mm256_setr_epi8(0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 4, 5, 6,
                                          7, 4, 5, 6, 7, 4, 5, 6, 7, 4, 5, 6, 7);
  const std::int16_t* pixel = from + static_cast<std::ptrdiff_t>(tap.first) * 4;
  __m256i sum = _mm256_setzero_si256();
  for (int t = 0; t < tap.count; t += kTapStep, pixel += 4 * kTapStep) {
    const __m256i four = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(pixel));
    const __m256i weights = _mm256_shuffle_epi8(
        _mm256_broadcastq_epi64(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(tap.weights + t))),
        spread);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(_mm256_shuffle_epi8(four, beside), weights));
  }
  return sum;
}

void sum_pixels_by_fours(Word* to, const std::int16_t* from, const Taps* taps, int count) {
  const __m256i half = _mm256_set1_epi32(1 << (kPixelShift - 1));
  const __m128i opaque = _mm_set1_epi32(static_cast<int>(0xff000000U));
  int i = 0;
  for (; i + 2 <= count; i += 2) {
    const __m256i one = sum_taps(from, taps[i]);
    const __m256i two = sum_taps(from, taps[i + 1]);
    const __m256i sum = _mm256_add_epi32(_mm256_permute2x128_si256(one, two, 0x20),
                                         _mm256_permute2x128_si256(one, two, 0x31));
    const __m256i levels = _mm256_srai_epi32(_mm256_add_epi32(sum, half), kPixelShift);
    const __m128i words =
        _mm_packs_epi32(_mm256_castsi256_si128(levels), _mm256_extracti128_si256(levels, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(to + i),
                     _mm_or_si128(_mm_packus_epi16(words, words), opaque));
  }
  if (i < count) sum_pixels(to + i, from, taps + i, count - i);
}

void to_rgb_by_fours(std::uint8_t* to, const Word* from, int count) {
  const __m128i order = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  int i = 0;
  // Each step writes 16 bytes for its 12.
  for (; i + 6 <= count; i += 4) {
    const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + 3 * i), _mm_shuffle_epi8(four, order));
  }
  to_rgb(to + 3 * i, from + i, count - i);
}

void from_rgb_by_fours(Word* to, const std::uint8_t* from, int count) {
  const __m128i order = _mm_setr_epi8(2, 1, 0, -1, 5, 4, 3, -1, 8, 7, 6, -1, 11, 10, 9, -1);
  const __m128i opaque = _mm_set1_epi32(static_cast<int>(0xff000000U));
  int i = 0;
  // Each step reads 16 bytes for its 12.
  for (; i + 6 <= count; i += 4) {
    const __m128i four = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from + 3 * i));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to + i),
                     _mm_or_si128(_mm_shuffle_epi8(four, order), opaque));
  }
  from_rgb(to + i, from + 3 * i, count - i);
}

constexpr PixelRows kByHand = {
    over, blend, tint, to_rgb_by_fours, from_rgb_by_fours, sum_rows_by_pairs, sum_pixels_by_fours};

}  // namespace

const PixelRows& avx2_pixel_rows() {
  return kByHand;
}

}  // namespace affiche::cards::kernels
