// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/dora.h"

#include <ATen/ATen.h>

#include <limits>

#include "base/error.h"

namespace affiche::diffusion {

Dora Dora::from(ModuleTensors& tensors, std::int64_t out) {
  // PEFT's is a vector (linear) or 1 x out x 1 x 1 (convolution), always of outputs.
  if (tensors.has("magnitude")) {
    Dora dora = {tensors.take("magnitude").flatten(), false, false};
    if (dora.magnitude.numel() != out) {
      tensors.refuse(concat("expected ", out, " magnitudes, found ", dora.magnitude.numel()));
    }
    return dora;
  }
  if (!tensors.has("dora_scale")) return {};
  const at::Tensor scale = tensors.take("dora_scale");
  if (scale.numel() == out && scale.size(0) == out) return {scale.flatten(), false, true};
  if (scale.dim() < 2 || scale.numel() != scale.size(1)) {
    tensors.refuse(
        concat("expected dora_scale of ", out, " x 1 or 1 x inputs, found ", scale.sizes()));
  }
  return {scale.flatten(), true, true};
}

bool Dora::fits(const std::vector<std::int64_t>& weight_shape) const {
  return !magnitude.defined() || magnitude.numel() == weight_shape[by_input ? 1 : 0];
}

at::Tensor Dora::renormalized(const at::Tensor& changed, at::IntArrayRef shape) const {
  const at::Tensor cube = changed.view({shape[0], shape[1], -1});
  const at::Tensor norm = cube.norm(2, by_input ? at::IntArrayRef{0, 2} : at::IntArrayRef{1, 2},
                                    /*keepdim=*/true);
  const at::Tensor m = magnitude.to(changed.options()).view_as(norm);
  // A row of zeros has no direction; it stays.
  return (cube * (m / norm.clamp_min(std::numeric_limits<float>::min()))).view_as(changed);
}

}  // namespace affiche::diffusion
