// SPDX-License-Identifier: Apache-2.0
// The inner loops of low_rank_merge.h, compiled once for each instruction set.
#pragma once

#include <cstdint>

namespace affiche::diffusion::kernels {

// `down` comes in tiles of rank x kTile.
constexpr std::int64_t kTile = 64;

// Some rows of the matrices. T: float, or std::uint16_t for bfloat16.
template <typename T>
struct Panel {
  T* out;
  const T* base;
  const float* up;                   // rows x rank
  const float* tiles;                // of `down`: whole ones
  std::int64_t rows, columns, rank;  // columns: a multiple of kTile
  std::int64_t stride;               // elements from row to row of base and out
  bool stream;                       // rows of `out` begin on 64 bytes: results may pass the cache
};

void merge_avx2(const Panel<float>& panel);
void merge_avx2(const Panel<std::uint16_t>& panel);
void merge_avx512(const Panel<float>& panel);
void merge_avx512(const Panel<std::uint16_t>& panel);

}  // namespace affiche::diffusion::kernels
