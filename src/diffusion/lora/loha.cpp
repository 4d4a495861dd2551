// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/loha.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

LoHa::Half take(ModuleTensors& tensors, const std::string& number, bool tucker) {
  LoHa::Half half;
  half.a = tensors.need("hada_w" + number + "_a", {2});
  half.b = tensors.need("hada_w" + number + "_b", {2});
  if (tucker) half.t = tensors.need("hada_t" + number, {4});
  const bool fits = tucker ? half.t.size(0) == half.a.size(0) && half.t.size(1) == half.b.size(0)
                           : half.a.size(1) == half.b.size(0);
  if (!fits) {
    tensors.refuse(concat("the ranks of its factors hada_w", number,
                          "_a and _b differ: ", half.a.sizes(), " and ", half.b.sizes()));
  }
  return half;
}

std::vector<std::int64_t> shape_of(const LoHa::Half& half) {
  if (!half.t.defined()) return {half.a.size(0), half.b.size(1)};
  return {half.a.size(1), half.b.size(1), half.t.size(2), half.t.size(3)};
}

// out x (in * k * k)
at::Tensor product(const LoHa::Half& half, const at::TensorOptions& options) {
  const at::Tensor a = half.a.to(options), b = half.b.to(options);
  if (!half.t.defined()) return a.matmul(b);
  return at::einsum("ijkl,ip,jr->prkl", {half.t.to(options), a, b}).flatten(1);
}

bool zero_half(const LoHa::Half& half) {
  return !half.a.any().item<bool>() || !half.b.any().item<bool>() ||
         (half.t.defined() && !half.t.any().item<bool>());
}

}  // namespace

LoHa LoHa::from(ModuleTensors& tensors) {
  const bool tucker = tensors.has("hada_t1") || tensors.has("hada_t2");
  LoHa result = {take(tensors, "1", tucker), take(tensors, "2", tucker)};
  if (shape_of(result.first) != shape_of(result.second)) {
    tensors.refuse(
        concat("its two products differ in shape: ", at::IntArrayRef(shape_of(result.first)),
               " and ", at::IntArrayRef(shape_of(result.second))));
  }
  return result;
}

std::vector<std::int64_t> LoHa::shape() const {
  return shape_of(first);
}

bool LoHa::zero() const {
  return zero_half(first) || zero_half(second);
}

void LoHa::add_to(at::Tensor& sum, double factor) const {
  sum.addcmul_(product(first, sum.options()), product(second, sum.options()), factor);
}

}  // namespace affiche::diffusion
