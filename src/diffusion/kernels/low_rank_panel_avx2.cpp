// SPDX-License-Identifier: Apache-2.0
// Compiled with -mavx2 -mfma.
#include <immintrin.h>

#include "diffusion/kernels/low_rank_rows.h"

namespace affiche::diffusion::kernels {
namespace {

struct Avx2 {
  using Vector = __m256;
  static constexpr int kLanes = 8;
  static constexpr int kRows = 3;  // 12 sums and a factor in 16 registers; `down` from the cache

  static Vector all(float value) { return _mm256_set1_ps(value); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm256_fmadd_ps(a, b, c); }
  static void fence() { _mm_sfence(); }
  // Any address will do; there is no fault.
  static void prefetch(const void* from) { _mm_prefetch(from, _MM_HINT_T0); }

  static Vector load(const float* from) { return _mm256_loadu_ps(from); }
  static Vector load(const std::uint16_t* from) {
    const __m128i bits = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(bits), 16));
  }

  template <bool kStream>
  static void store(float* to, Vector value) {
    kStream ? _mm256_stream_ps(to, value) : _mm256_storeu_ps(to, value);
  }
  // To the nearest, ties to even, as libtorch rounds.
  template <bool kStream>
  static void store(std::uint16_t* to, Vector value) {
    const __m256i bits = _mm256_castps_si256(value);
    const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
    const __m256i sum = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
    const __m256i high = _mm256_srli_epi32(sum, 16);
    const __m128i half =
        _mm_packus_epi32(_mm256_castsi256_si128(high), _mm256_extracti128_si256(high, 1));
    auto* place = reinterpret_cast<__m128i*>(to);
    kStream ? _mm_stream_si128(place, half) : _mm_storeu_si128(place, half);
  }
};

}  // namespace

void merge_avx2(const Panel<float>& panel) {
  merge_panel<Avx2>(panel);
}

void merge_avx2(const Panel<std::uint16_t>& panel) {
  merge_panel<Avx2>(panel);
}

}  // namespace affiche::diffusion::kernels
