// SPDX-License-Identifier: Apache-2.0
// Compiled with -mavx512f.
#include <immintrin.h>

#include "diffusion/kernels/low_rank_rows.h"

namespace affiche::diffusion::kernels {
namespace {

struct Avx512 {
  using Vector = __m512;
  static constexpr int kLanes = 16;
  static constexpr int kRows = 6;  // 24 sums, 4 vectors of `down` and a factor in 32 registers

  static Vector all(float value) { return _mm512_set1_ps(value); }
  static Vector fma(Vector a, Vector b, Vector c) { return _mm512_fmadd_ps(a, b, c); }
  static void fence() { _mm_sfence(); }
  // Any address will do; there is no fault.
  static void prefetch(const void* from) { _mm_prefetch(from, _MM_HINT_T0); }

  static Vector load(const float* from) { return _mm512_loadu_ps(from); }
  static Vector load(const std::uint16_t* from) {
    const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }

  template <bool kStream>
  static void store(float* to, Vector value) {
    kStream ? _mm512_stream_ps(to, value) : _mm512_storeu_ps(to, value);
  }
  // To the nearest, ties to even, as libtorch rounds.
  template <bool kStream>
  static void store(std::uint16_t* to, Vector value) {
    const __m512i bits = _mm512_castps_si512(value);
    const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
    const __m512i sum = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
    const __m256i half = _mm512_cvtepi32_epi16(_mm512_srli_epi32(sum, 16));
    auto* place = reinterpret_cast<__m256i*>(to);
    kStream ? _mm256_stream_si256(place, half) : _mm256_storeu_si256(place, half);
  }
};

}  // namespace

void merge_avx512(const Panel<float>& panel) {
  merge_panel<Avx512>(panel);
}

void merge_avx512(const Panel<std::uint16_t>& panel) {
  merge_panel<Avx512>(panel);
}

}  // namespace affiche::diffusion::kernels
