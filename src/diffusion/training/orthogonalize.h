// SPDX-License-Identifier: Apache-2.0
// The nearest matrix with orthogonal rows or columns, roughly: the direction that Muon steps in.
#pragma once

#include <ATen/core/Tensor.h>

namespace affiche::diffusion {

// U V^T of the singular value decomposition U S V^T of `matrix` (R x C, any floating type and
// device), its singular values brought to 0.7 … 1.2 by five steps of the quintic Newton-Schulz
// iteration with the coefficients of Jordan et al. 2024 ("Muon: an optimizer for hidden layers in
// neural networks"). Products are in bfloat16, whose rounding the iteration forgives. Values far
// below the largest (1e-3 of it and less) do not get there. Result in float32. Thread-safe.
at::Tensor orthogonalize(const at::Tensor& matrix);

}  // namespace affiche::diffusion
