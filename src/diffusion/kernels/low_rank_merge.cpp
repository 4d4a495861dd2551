// SPDX-License-Identifier: Apache-2.0
#include "diffusion/kernels/low_rank_merge.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "diffusion/kernels/low_rank_panel.h"

namespace affiche::diffusion {
namespace {

using kernels::kTile;
using kernels::Panel;

#ifdef AFFICHE_X86_KERNELS
enum class Isa { None, Avx2, Avx512 };

Isa isa() {
  static const Isa kBest =
      __builtin_cpu_supports("avx512f") != 0                                      ? Isa::Avx512
      : __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0 ? Isa::Avx2
                                                                                  : Isa::None;
  return kBest;
}

template <typename T>
void merge_panel(const Panel<T>& panel) {
  isa() == Isa::Avx512 ? kernels::merge_avx512(panel) : kernels::merge_avx2(panel);
}
#else
template <typename T>
void merge_panel(const Panel<T>&) {}
#endif

// tile x rank x kTile, so that the loops read it in order.
at::Tensor tiles_of(const at::Tensor& down, std::int64_t tiles) {
  return down.narrow(1, 0, tiles * kTile)
      .view({down.size(0), tiles, kTile})
      .transpose(0, 1)
      .contiguous();
}

std::int64_t whole_tiles(const LowRankMerge& merge) {
  return merge.base.size(1) / kTile;
}

// Columns that fill no tile. Seldom, and never in models of full size.
void merge_rest(const LowRankMerge& merge) {
  const std::int64_t columns = whole_tiles(merge) * kTile;
  if (columns == merge.base.size(1)) return;
  const auto rest = [&](const at::Tensor& matrix) {
    return matrix.narrow(1, columns, matrix.size(1) - columns);
  };
  rest(merge.out).copy_(at::addmm(rest(merge.base).to(at::kFloat), merge.up, rest(merge.down)));
}

// Some rows of one merge.
struct Piece {
  std::size_t merge;
  std::int64_t begin, end;
};

// Of about the same work each; few rows at a time stay in the cache with the tiles that change
// them.
std::vector<Piece> cut(const std::vector<LowRankMerge>& merges) {
  constexpr std::int64_t kElements = std::int64_t{1} << 16;
  constexpr std::int64_t kRows = 6;  // what the loops take at once
  std::vector<Piece> pieces;
  for (std::size_t i = 0; i < merges.size(); ++i) {
    if (whole_tiles(merges[i]) == 0) continue;
    const std::int64_t rows = merges[i].base.size(0);
    const std::int64_t step =
        std::max<std::int64_t>(1, kElements / merges[i].base.size(1) / kRows) * kRows;
    for (std::int64_t row = 0; row < rows; row += step) {
      pieces.push_back({i, row, std::min(rows, row + step)});
    }
  }
  return pieces;
}

template <typename T>
void merge_piece(const LowRankMerge& merge, const at::Tensor& tiles, const Piece& piece) {
  const std::int64_t stride = merge.base.size(1), rank = merge.up.size(1);
  T* out = static_cast<T*>(merge.out.data_ptr()) + piece.begin * stride;
  const bool stream = reinterpret_cast<std::uintptr_t>(out) % 64 == 0 &&
                      static_cast<std::size_t>(stride) * sizeof(T) % 64 == 0;
  merge_panel<T>({out, static_cast<const T*>(merge.base.const_data_ptr()) + piece.begin * stride,
                  merge.up.const_data_ptr<float>() + piece.begin * rank,
                  tiles.const_data_ptr<float>(), piece.end - piece.begin,
                  whole_tiles(merge) * kTile, rank, stride, stream});
}

}  // namespace

bool can_merge_low_rank(at::ScalarType dtype, at::Device device) {
#ifdef AFFICHE_X86_KERNELS
  return device.is_cpu() && (dtype == at::kFloat || dtype == at::kBFloat16) && isa() != Isa::None;
#else
  return false && dtype == at::kFloat && device.is_cpu();
#endif
}

void merge_low_rank(const std::vector<LowRankMerge>& merges) {
  std::vector<at::Tensor> tiles(merges.size());
  // The mode is a thread's own, and outside of it nobody may write the caller's inference tensors.
  const bool inference = c10::InferenceMode::is_enabled();
  at::parallel_for(
      0, static_cast<std::int64_t>(merges.size()), 1, [&](std::int64_t begin, std::int64_t end) {
        const c10::InferenceMode same(inference);
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          tiles[i] = tiles_of(merges[i].down, whole_tiles(merges[i]));
          merge_rest(merges[i]);
        }
      });
  const std::vector<Piece> pieces = cut(merges);
  at::parallel_for(0, static_cast<std::int64_t>(pieces.size()), 1,
                   [&](std::int64_t begin, std::int64_t end) {
                     for (std::int64_t i = begin; i < end; ++i) {
                       const Piece& piece = pieces[static_cast<std::size_t>(i)];
                       const LowRankMerge& merge = merges[piece.merge];
                       merge.base.scalar_type() == at::kFloat
                           ? merge_piece<float>(merge, tiles[piece.merge], piece)
                           : merge_piece<std::uint16_t>(merge, tiles[piece.merge], piece);
                     }
                   });
}

}  // namespace affiche::diffusion
