// SPDX-License-Identifier: Apache-2.0
// DoRA (arXiv 2402.09353, equation 5): the changed weight W + D keeps its direction and takes the
// magnitude m from the file, m (W + D) / ||W + D||.
#pragma once

#include "diffusion/lora/module_tensors.h"

namespace affiche::diffusion {

struct Dora {
  at::Tensor magnitude;   // one number a row or column
  bool by_input = false;  // norms over an input channel (LyCORIS with wd_on_out off), not an output
  bool lycoris = false;   // from "dora_scale", which diffusers leaves out

  // Takes "dora_scale" or "magnitude"; undefined magnitude when there is neither. `out`: rows of
  // the weight. BadInput, naming the tensor, for a shape that is neither a row's nor a column's.
  static Dora from(ModuleTensors& tensors, std::int64_t out);

  bool fits(const std::vector<std::int64_t>& weight_shape) const;
  // `changed` (float32, out x (in * k * k), of a weight of shape `shape`) with these magnitudes.
  at::Tensor renormalized(const at::Tensor& changed, at::IntArrayRef shape) const;
};

}  // namespace affiche::diffusion
