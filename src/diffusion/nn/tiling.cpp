// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/tiling.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <vector>

namespace affiche::diffusion {
namespace {

at::Tensor square(const at::Tensor& x, std::int64_t top, std::int64_t left, std::int64_t size) {
  return x.slice(2, top, top + size).slice(3, left, left + size);
}

// `tile`, beginning with a ramp from the end of `before` along the dimension.
at::Tensor blended(const at::Tensor& before, const at::Tensor& tile, std::int64_t dimension,
                   std::int64_t extent) {
  extent = std::min({before.size(dimension), tile.size(dimension), extent});
  const at::Tensor steps = at::arange(extent, at::kDouble) / static_cast<double>(extent);
  std::vector<std::int64_t> shape(4, 1);
  shape[static_cast<std::size_t>(dimension)] = extent;
  const at::Tensor rising = steps.to(tile.device(), tile.scalar_type()).view(shape);
  const at::Tensor falling = (1 - steps).to(tile.device(), tile.scalar_type()).view(shape);
  const at::Tensor ramp =
      before.narrow(dimension, before.size(dimension) - extent, extent) * falling +
      tile.narrow(dimension, 0, extent) * rising;
  return at::cat({ramp, tile.slice(dimension, extent)}, dimension);
}

// 0 to 1 over the overlap, 1 behind it; all 1 for the first tile.
at::Tensor fading(std::int64_t size, double overlap, bool first, const at::TensorOptions& options) {
  if (first) return at::ones({size}, options);
  return (at::arange(size, options) / (overlap - 1)).clamp(0, 1);
}

}  // namespace

at::Tensor blend_tiles(const at::Tensor& x, const TileFunction& function, std::int64_t tile_in,
                       std::int64_t tile_out) {
  const std::int64_t step = tile_in * 3 / 4, blend = tile_out / 4, kept = tile_out - blend;
  std::vector<at::Tensor> above, joined;
  for (std::int64_t top = 0; top < x.size(2); top += step) {
    std::vector<at::Tensor> row, cut;
    for (std::int64_t left = 0; left < x.size(3); left += step) {
      at::Tensor tile = function(square(x, top, left, tile_in));
      if (!above.empty()) tile = blended(above[row.size()], tile, 2, blend);
      if (!row.empty()) tile = blended(row.back(), tile, 3, blend);
      row.push_back(tile);
      cut.push_back(square(tile, 0, 0, kept));
    }
    joined.push_back(at::cat(cut, 3));
    above = std::move(row);
  }
  return at::cat(joined, 2);
}

at::Tensor fade_tiles(const at::Tensor& x, const TileFunction& function, std::int64_t tile_in,
                      std::int64_t tile_out) {
  const std::int64_t blend = tile_in / 8, step = tile_in - blend;
  const auto scaled = [&](std::int64_t extent) { return extent * tile_out / tile_in; };
  const auto overlap =
      static_cast<double>(blend) * static_cast<double>(tile_out) / static_cast<double>(tile_in);
  at::Tensor result;
  for (std::int64_t top = 0; top < x.size(2); top += step) {
    for (std::int64_t left = 0; left < x.size(3); left += step) {
      const at::Tensor tile = function(square(x, top, left, tile_in));
      if (!result.defined()) {
        result = at::zeros({x.size(0), tile.size(1), scaled(x.size(2)), scaled(x.size(3))},
                           tile.options());
      }
      const at::TensorOptions options = tile.options();
      const at::Tensor mask = fading(tile.size(2), overlap, top == 0, options).unsqueeze(1) *
                              fading(tile.size(3), overlap, left == 0, options);
      const std::int64_t y = scaled(top), x_out = scaled(left);
      const at::Tensor under =
          result.slice(2, y, y + tile.size(2)).slice(3, x_out, x_out + tile.size(3));
      under.copy_(mask * tile + (1 - mask) * under);
    }
  }
  return result;
}

}  // namespace affiche::diffusion
