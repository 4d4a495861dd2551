// SPDX-License-Identifier: Apache-2.0
// The loops of low_rank_panel.h for any instruction set. Included by files that are compiled with
// other flags than the rest: everything here is local to the file that includes it, and so it must
// stay, or the linker could keep a copy for all that some CPU cannot run.
#pragma once

#include "diffusion/kernels/low_rank_panel.h"

namespace affiche::diffusion::kernels {
namespace {

// Isa: a vector type, its loads and stores, and how many rows of 4 vectors fit the registers.
template <typename Isa, int kRows, bool kStream, typename T>
inline void merge_rows(const Panel<T>& panel, std::int64_t row) {
  constexpr int kVectors = 4;
  const T* base = panel.base + row * panel.stride;
  T* out = panel.out + row * panel.stride;
  const float* up = panel.up + row * panel.rank;
  for (std::int64_t column = 0; column < panel.columns; column += kVectors * Isa::kLanes) {
    typename Isa::Vector sum[kRows][kVectors];
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int k = 0; k < kVectors; ++k) {
        sum[i][k] = Isa::load(base + i * panel.stride + column + k * Isa::kLanes);
      }
    }
    // The next weights come from memory while these are computed; hardware does not see six rows.
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int k = 0; k < kVectors; ++k) {
        Isa::prefetch(base + i * panel.stride + column + (kVectors + k) * Isa::kLanes);
      }
    }
    const float* tile = panel.tiles + column / kTile * kTile * panel.rank + column % kTile;
    for (std::int64_t r = 0; r < panel.rank; ++r, tile += kTile) {
      typename Isa::Vector down[kVectors];
#pragma GCC unroll 4
      for (int k = 0; k < kVectors; ++k) down[k] = Isa::load(tile + k * Isa::kLanes);
#pragma GCC unroll 8
      for (int i = 0; i < kRows; ++i) {
        const typename Isa::Vector factor = Isa::all(up[i * panel.rank + r]);
#pragma GCC unroll 4
        for (int k = 0; k < kVectors; ++k) sum[i][k] = Isa::fma(factor, down[k], sum[i][k]);
      }
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 4
      for (int k = 0; k < kVectors; ++k) {
        Isa::template store<kStream>(out + i * panel.stride + column + k * Isa::kLanes, sum[i][k]);
      }
    }
  }
}

template <typename Isa, bool kStream, typename T>
inline void merge_panel(const Panel<T>& panel) {
  std::int64_t row = 0;
  for (; row + Isa::kRows <= panel.rows; row += Isa::kRows) {
    merge_rows<Isa, Isa::kRows, kStream>(panel, row);
  }
  for (; row < panel.rows; ++row) merge_rows<Isa, 1, kStream>(panel, row);
  if (kStream) Isa::fence();
}

template <typename Isa, typename T>
inline void merge_panel(const Panel<T>& panel) {
  panel.stream ? merge_panel<Isa, true>(panel) : merge_panel<Isa, false>(panel);
}

}  // namespace
}  // namespace affiche::diffusion::kernels
