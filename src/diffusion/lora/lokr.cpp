// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/lokr.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

LoKr::Factor take(ModuleTensors& tensors, const std::string& number,
                  const std::vector<std::int64_t>& dimensions) {
  const std::string name = "lokr_w" + number;
  LoKr::Factor factor;
  if (tensors.has(name)) {
    factor.whole = tensors.need(name, dimensions);
    return factor;
  }
  if (!tensors.has(name + "_a")) tensors.refuse(concat("its ", name, " is missing"));
  factor.a = tensors.need(name + "_a", {2});
  factor.b = tensors.need(name + "_b", {2});
  const std::string core = "lokr_t" + number;
  if (tensors.has(core) && dimensions.size() > 1) factor.t = tensors.need(core, {4});
  const bool fits = factor.t.defined() ? factor.t.size(0) == factor.a.size(0) &&
                                             factor.t.size(1) == factor.b.size(0)
                                       : factor.a.size(1) == factor.b.size(0);
  if (!fits) {
    tensors.refuse(concat("the ranks of its factors ", name, "_a and _b differ: ", factor.a.sizes(),
                          " and ", factor.b.sizes()));
  }
  return factor;
}

std::vector<std::int64_t> shape_of(const LoKr::Factor& factor) {
  if (factor.whole.defined()) return factor.whole.sizes().vec();
  if (!factor.t.defined()) return {factor.a.size(0), factor.b.size(1)};
  return {factor.a.size(1), factor.b.size(1), factor.t.size(2), factor.t.size(3)};
}

// rows x (columns * k * k)
at::Tensor matrix(const LoKr::Factor& factor, const at::TensorOptions& options) {
  if (factor.whole.defined()) return factor.whole.to(options).flatten(1);
  const at::Tensor a = factor.a.to(options), b = factor.b.to(options);
  if (!factor.t.defined()) return a.matmul(b);
  return at::einsum("ijkl,ip,jr->prkl", {factor.t.to(options), a, b}).flatten(1);
}

bool zero_factor(const LoKr::Factor& factor) {
  for (const at::Tensor& tensor : {factor.whole, factor.a, factor.b, factor.t}) {
    if (tensor.defined() && !tensor.any().item<bool>()) return true;
  }
  return false;
}

}  // namespace

LoKr LoKr::from(ModuleTensors& tensors) {
  return {take(tensors, "1", {2}), take(tensors, "2", {2, 4})};
}

std::int64_t LoKr::rank() const {
  if (second.b.defined()) return second.b.size(0);
  return first.b.defined() ? first.b.size(0) : 0;
}

std::vector<std::int64_t> LoKr::shape() const {
  const std::vector<std::int64_t> left = shape_of(first);
  std::vector<std::int64_t> shape = shape_of(second);
  shape[0] *= left[0];
  shape[1] *= left[1];
  return shape;
}

bool LoKr::zero() const {
  return zero_factor(first) || zero_factor(second);
}

void LoKr::add_to(at::Tensor& sum, double factor) const {
  const at::Tensor left = matrix(first, sum.options());
  const at::Tensor right = matrix(second, sum.options());
  // Element (a c, b d) of a Kronecker product is left(a, b) * right(c, d). The kernel lies inside
  // d, so that it makes no difference whether `right` is flattened.
  sum.view({left.size(0), right.size(0), left.size(1), right.size(1)})
      .addcmul_(left.view({left.size(0), 1, left.size(1), 1}),
                right.view({1, right.size(0), 1, right.size(1)}), factor);
}

}  // namespace affiche::diffusion
