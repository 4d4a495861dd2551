// SPDX-License-Identifier: Apache-2.0
// A picture through a network in overlapping squares. Two ways of joining them, because
// AutoencoderKL and AutoencoderTiny of diffusers have one each and results should be theirs.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>

namespace affiche::diffusion {

// B x C x h x w -> B x D x (h * r) x (w * r), with r = tile_out / tile_in, at least for tiles.
using TileFunction = std::function<at::Tensor(const at::Tensor&)>;

// Squares of tile_in, every 3/4 of that. Each blends linearly from its upper, then from its left
// neighbour over a quarter; the rest beyond 3/4 of it is cut off. tile_in and tile_out are
// multiples of 4.
at::Tensor blend_tiles(const at::Tensor& x, const TileFunction& function, std::int64_t tile_in,
                       std::int64_t tile_out);

// Squares of tile_in, every 7/8 of that, each laid over those before it through a mask that rises
// from 0 to 1 over the overlap. tile_in is a multiple of 8, the overlap at least 2 in the result.
at::Tensor fade_tiles(const at::Tensor& x, const TileFunction& function, std::int64_t tile_in,
                      std::int64_t tile_out);

}  // namespace affiche::diffusion
