// SPDX-License-Identifier: Apache-2.0
// LoRA (arXiv 2106.09685, equation 3: W + B A, here up and down) and LoCon, the same for
// convolutions: down keeps the kernel and up is 1x1. LoCon in Tucker form puts the kernel into a
// factor of its own, lora_mid (arXiv 2108.06098, proposition 2).
#pragma once

#include "diffusion/lora/module_tensors.h"

namespace affiche::diffusion {

struct LowRank {
  at::Tensor down;  // rank x in, or rank x in x k x k; with mid: rank x in x 1 x 1
  at::Tensor up;    // out x rank, or out x rank x 1 x 1
  at::Tensor mid;   // rank x rank x k x k, or undefined

  // Takes its parts. BadInput, naming the tensor: a missing factor, ranks that differ.
  static LowRank from(ModuleTensors& tensors);

  std::int64_t rank() const { return up.size(1); }
  // Of the change: out x in, or out x in x k x k.
  std::vector<std::int64_t> shape() const;
  bool zero() const;
  // The change is up (out x rank) * down (rank x (in * k * k)) of these, float32 on that device.
  struct Matrices {
    at::Tensor up, down;
  };
  Matrices matrices(at::Device device) const;
  // sum += factor * up * down. sum: out x (in * k * k), float32, any device.
  void add_to(at::Tensor& sum, double factor) const;
};

}  // namespace affiche::diffusion
