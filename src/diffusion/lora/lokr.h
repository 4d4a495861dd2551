// SPDX-License-Identifier: Apache-2.0
// LoKr: the change is the Kronecker product of two matrices, of which either may be low-rank
// (KronA, arXiv 2212.10650, equation 4; LyCORIS, arXiv 2309.14859, section 3.3). Names and layout
// are those of LyCORIS.
#pragma once

#include "diffusion/lora/module_tensors.h"

namespace affiche::diffusion {

struct LoKr {
  struct Factor {
    at::Tensor whole;  // or undefined and
    at::Tensor a, b;   // rows x rank and rank x columns; with a core rank x rows, rank x columns
    at::Tensor t;      // core of the Tucker form, rank x rank x k x k, or undefined
  };
  Factor first;   // a matrix
  Factor second;  // the smaller weight: rows x columns, rows x columns x k x k, or flattened so

  // Takes its parts. BadInput, naming the tensor: a missing factor, ranks that differ.
  static LoKr from(ModuleTensors& tensors);

  // Of the factor that is decomposed, the second if both are; 0 if none is (alpha then has no
  // meaning).
  std::int64_t rank() const;
  // Of the change: rows multiply and columns multiply, the kernel is the second's.
  std::vector<std::int64_t> shape() const;
  bool zero() const;
  // sum += factor * kron(first, second). sum: out x (in * k * k), float32, any device.
  void add_to(at::Tensor& sum, double factor) const;
};

}  // namespace affiche::diffusion
