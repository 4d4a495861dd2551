// SPDX-License-Identifier: Apache-2.0
// Classifier-free guidance (Ho and Salimans, arXiv 2207.12598).
#pragma once

#include <ATen/core/Tensor.h>

namespace affiche::diffusion {

// `both` is 2N x C x H x W, the unconditioned predictions first. Returns N x C x H x W:
// negative + scale * (positive - negative), then moved towards the positive prediction's standard
// deviation by `rescale` (arXiv 2305.08891, equations 15 and 16).
at::Tensor guide(const at::Tensor& both, double scale, double rescale);

}  // namespace affiche::diffusion
