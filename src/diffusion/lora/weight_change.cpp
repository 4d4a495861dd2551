// SPDX-License-Identifier: Apache-2.0
#include "diffusion/lora/weight_change.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

bool has_any(const ModuleTensors& tensors, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(), [&](const char* p) { return tensors.has(p); });
}

std::vector<std::int64_t> without_ones(std::vector<std::int64_t> shape) {
  while (shape.size() > 2 && shape.back() == 1) shape.pop_back();
  return shape;
}

}  // namespace

WeightChange WeightChange::from(ModuleTensors& tensors) {
  WeightChange change;
  if (has_any(tensors, {"hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b"})) {
    change.factors = LoHa::from(tensors);
  } else if (has_any(tensors,
                     {"lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b"})) {
    change.factors = LoKr::from(tensors);
  } else {
    change.factors = LowRank::from(tensors);
  }
  change.dora = Dora::from(tensors, change.shape()[0]);
  tensors.finish();
  change.zero_factors = std::visit([](const auto& f) { return f.zero(); }, change.factors);
  return change;
}

std::string WeightChange::method() const {
  struct Name {
    std::string operator()(const LowRank& f) const {
      return f.mid.defined() ? "LoRA Tucker" : "LoRA";
    }
    std::string operator()(const LoHa& f) const {
      return f.first.t.defined() ? "LoHa Tucker" : "LoHa";
    }
    std::string operator()(const LoKr& f) const {
      return f.second.t.defined() ? "LoKr Tucker" : "LoKr";
    }
  };
  return std::visit(Name{}, factors) + (dora.magnitude.defined() ? " DoRA" : "");
}

std::int64_t WeightChange::rank() const {
  return std::visit([](const auto& f) { return f.rank(); }, factors);
}

std::vector<std::int64_t> WeightChange::shape() const {
  return std::visit([](const auto& f) { return f.shape(); }, factors);
}

bool WeightChange::fits(const std::vector<std::int64_t>& weight_shape) const {
  if (weight_shape.size() < 2 || !dora.fits(weight_shape)) return false;
  const std::vector<std::int64_t> own = shape();
  if (without_ones(own) == without_ones(weight_shape)) return true;
  std::int64_t columns = 1;
  for (std::size_t i = 1; i < weight_shape.size(); ++i) columns *= weight_shape[i];
  return own == std::vector<std::int64_t>{weight_shape[0], columns};
}

bool WeightChange::zero() const {
  return !dora.magnitude.defined() && (scale == 0 || zero_factors);
}

at::Tensor WeightChange::delta(const at::Tensor& pristine, double weight) const {
  at::Tensor sum = at::zeros(pristine.sizes(), pristine.options().dtype(at::kFloat)).flatten(1);
  add_to(sum, pristine, weight);
  return sum.view(pristine.sizes());
}

void WeightChange::add_to(at::Tensor& sum, const at::Tensor& pristine, double weight) const {
  const auto add = [&](at::Tensor& target) {
    std::visit([&](const auto& f) { f.add_to(target, weight * scale); }, factors);
  };
  if (!dora.magnitude.defined()) return add(sum);
  const at::Tensor original = pristine.to(at::kFloat).contiguous().flatten(1);
  at::Tensor changed = original.clone();
  add(changed);
  sum.add_(dora.renormalized(changed, pristine.sizes()).sub_(original));
}

}  // namespace affiche::diffusion
