// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/low_rank.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace affiche::diffusion {

LowRank LowRank::from(ModuleTensors& tensors) {
  LowRank result;
  result.down = tensors.need("lora_down", {2, 4});
  result.up = tensors.need("lora_up", {2, 4});
  const std::int64_t rank = result.up.size(1);
  if (result.up.numel() != result.up.size(0) * rank ||
      (!tensors.has("lora_mid") && result.down.size(0) != rank)) {
    tensors.refuse(concat("expected down of rank x in and up of out x rank, found ",
                          result.down.sizes(), " and ", result.up.sizes()));
  }
  if (!tensors.has("lora_mid")) return result;
  result.mid = tensors.need("lora_mid", {4});
  if (result.mid.size(0) != rank || result.mid.size(1) != result.down.size(0) ||
      result.down.numel() != result.down.size(0) * result.down.size(1)) {
    tensors.refuse(concat("expected up of out x rank, mid of rank x rank x k x k and down of rank ",
                          "x in, found ", result.up.sizes(), ", ", result.mid.sizes(), " and ",
                          result.down.sizes()));
  }
  return result;
}

std::vector<std::int64_t> LowRank::shape() const {
  std::vector<std::int64_t> shape = down.sizes().vec();
  shape[0] = up.size(0);
  if (mid.defined()) shape = {up.size(0), down.size(1), mid.size(2), mid.size(3)};
  return shape;
}

bool LowRank::zero() const {
  return !up.any().item<bool>() || !down.any().item<bool>() ||
         (mid.defined() && !mid.any().item<bool>());
}

LowRank::Matrices LowRank::matrices(at::Device device) const {
  const auto options = at::TensorOptions().dtype(at::kFloat).device(device);
  at::Tensor right = down.to(options).flatten(1);
  if (mid.defined()) right = at::einsum("rskl,si->rikl", {mid.to(options), right}).flatten(1);
  return {up.to(options).flatten(1), right};
}

void LowRank::add_to(at::Tensor& sum, double factor) const {
  const Matrices factors = matrices(sum.device());
  sum.addmm_(factors.up, factors.down, 1, factor);
}

}  // namespace affiche::diffusion
