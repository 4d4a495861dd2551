// SPDX-License-Identifier: Apache-2.0
// LoHa: the change is the element-wise product of two low-rank matrices (FedPara, arXiv
// 2108.06098, proposition 1). In Tucker form (proposition 2) each is a core t of rank x rank x
// k x k with a factor for either side. Names and layout are those of LyCORIS.
#pragma once

#include "diffusion/lora/module_tensors.h"

namespace affiche::diffusion {

struct LoHa {
  struct Half {
    at::Tensor a;  // out x rank; with a core rank x out
    at::Tensor b;  // rank x (in * k * k); with a core rank x in
    at::Tensor t;  // the core, or undefined
  };
  Half first, second;

  // Takes its parts. BadInput, naming the tensor: a missing factor, shapes that differ.
  static LoHa from(ModuleTensors& tensors);

  std::int64_t rank() const { return first.b.size(0); }
  // Of the change: out x (in * k * k), in Tucker form out x in x k x k.
  std::vector<std::int64_t> shape() const;
  bool zero() const;
  // sum += factor * first . second. sum: out x (in * k * k), float32, any device.
  void add_to(at::Tensor& sum, double factor) const;
};

}  // namespace affiche::diffusion
