// SPDX-License-Identifier: Apache-2.0
// Pictures to tensors and back, as diffusers' VaeImageProcessor does it.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>

#include "imaging/image.h"
#include "imaging/resize.h"

namespace affiche::diffusion {

// Whole pixels, right and bottom exclusive.
struct Region {
  int left = 0, top = 0, right = 0, bottom = 0;
};

struct Preparation {
  std::int64_t height = 0, width = 0;  // of the tensor; 0: of the picture, down to a multiple
  std::int64_t multiple = 8;           // both are cut to multiples of this
  Filter filter = Filter::Lanczos;
  // Only this part of the picture is looked at. It keeps its shape: what is missing beside it
  // repeats its border.
  std::optional<Region> region = std::nullopt;
};

// 1 x 3 x H x W, float32, [0, 1]. The alpha channel is dropped. BadInput when nothing would be
// left.
at::Tensor to_unit(const Image& image, const Preparation& how);
// Likewise in [-1, 1], as a VAE reads it.
at::Tensor to_signed(const Image& image, const Preparation& how);
// 1 x 1 x H x W, float32, 0 or 1: where the luma is half or more.
at::Tensor to_mask(const Image& image, const Preparation& how);

// N x 3 x H x W, float32 in [0, 1] -> N x H x W x 3 bytes.
at::Tensor to_bytes(const at::Tensor& unit);
Image image_at(const at::Tensor& bytes, std::int64_t index);
// N pictures of one size -> N x H x W x 3 bytes.
at::Tensor stack(const std::vector<Image>& images);

// The part of a picture around all that is not black in `mask`, `margin` pixels wider, in the shape
// of width x height as far as the picture allows. The whole picture when the mask is black.
Region region_around(const Image& mask, std::int64_t width, std::int64_t height,
                     std::int64_t margin);

// `made` (the region's new pixels, any size) laid into `original` where `mask` is white.
Image overlay(const Image& original, const Image& mask, const Image& made, const Region& region);

}  // namespace affiche::diffusion
