// SPDX-License-Identifier: Apache-2.0
#include "diffusion/kernels/low_rank_merge.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

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

template <typename T>
void merge_tiles(const Panel<T>& all) {
  // A few rows at a time stay in the cache with the tiles that change them.
  constexpr std::int64_t kGrain = 48;
  at::parallel_for(0, all.rows, kGrain, [&](std::int64_t begin, std::int64_t end) {
    Panel<T> part = all;
    part.rows = end - begin;
    part.out += begin * all.stride;
    part.base += begin * all.stride;
    part.up += begin * all.rank;
    merge_panel(part);
  });
}

template <typename T>
void merge_as(at::Tensor& out, const at::Tensor& base, const at::Tensor& up,
              const at::Tensor& tiles, std::int64_t columns) {
  auto* to = static_cast<T*>(out.data_ptr());
  const std::size_t row_bytes = static_cast<std::size_t>(out.size(1)) * sizeof(T);
  const bool stream = reinterpret_cast<std::uintptr_t>(to) % 64 == 0 && row_bytes % 64 == 0;
  merge_tiles<T>({to, static_cast<const T*>(base.const_data_ptr()), up.const_data_ptr<float>(),
                  tiles.const_data_ptr<float>(), base.size(0), columns, up.size(1), base.size(1),
                  stream});
}

}  // namespace

bool can_merge_low_rank(at::ScalarType dtype, at::Device device) {
#ifdef AFFICHE_X86_KERNELS
  return device.is_cpu() && (dtype == at::kFloat || dtype == at::kBFloat16) && isa() != Isa::None;
#else
  return false && dtype == at::kFloat && device.is_cpu();
#endif
}

void merge_low_rank(at::Tensor& out, const at::Tensor& base, const at::Tensor& up,
                    const at::Tensor& down) {
  const std::int64_t tiles = base.size(1) / kTile, columns = tiles * kTile;
  if (tiles > 0) {
    const at::Tensor tiled = tiles_of(down, tiles);
    base.scalar_type() == at::kFloat ? merge_as<float>(out, base, up, tiled, columns)
                                     : merge_as<std::uint16_t>(out, base, up, tiled, columns);
  }
  if (columns == base.size(1)) return;
  const auto rest = [&](const at::Tensor& matrix) {
    return matrix.narrow(1, columns, matrix.size(1) - columns);
  };
  rest(out).copy_(at::addmm(rest(base).to(at::kFloat), up, rest(down)));
}

}  // namespace affiche::diffusion
