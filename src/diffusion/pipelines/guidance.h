// SPDX-License-Identifier: Apache-2.0
// Classifier-free guidance (Ho and Salimans, arXiv 2207.12598).
#pragma once

#include <ATen/core/Tensor.h>

namespace affiche::diffusion {

// `both` is 2N x C x H x W, the unconditioned predictions first. Returns N x C x H x W:
// negative + scale * (positive - negative), then moved towards the positive prediction's standard
// deviation by `rescale` (arXiv 2305.08891, equations 15 and 16).
at::Tensor guide(const at::Tensor& both, double scale, double rescale);

// 1 x width, float32, CPU: the guidance scale as models read it that were distilled with it (arXiv
// 2310.04378): sines, then cosines of 1000 (scale - 1) at frequencies from 1 to 1/10000.
at::Tensor guidance_scale_embedding(double scale, std::int64_t width);

}  // namespace affiche::diffusion
