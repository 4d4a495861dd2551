// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/trainable.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace affiche::diffusion {

std::size_t Trainable::add(const std::string& name, const at::Tensor& value) {
  const c10::NoGradGuard no_grad;
  at::Tensor master = value.detach().to(at::kFloat, false, true).contiguous();
  names_.push_back(name);
  averages_.push_back(master.clone());
  first_.push_back(at::zeros_like(master));
  second_.push_back(at::zeros_like(master));
  steps_.push_back(at::zeros({}, at::TensorOptions(at::kFloat).device(master.device())));
  masters_.push_back(master.set_requires_grad(true));
  return masters_.size() - 1;
}

void Trainable::adopt(Parameters& parameters, const std::string& prefix,
                      const std::function<bool(const std::string&)>& chosen) {
  for (const Slot& slot : parameters.slots())
    if (!chosen || chosen(slot.name))
      shown_.push_back({add(prefix + slot.name, *slot.tensor), slot.tensor});
}

void Trainable::show_masters(at::ScalarType type) {
  for (const Shown& shown : shown_) *shown.slot = masters_[shown.index].to(type);
}

void Trainable::show_averages(at::ScalarType type) {
  for (const Shown& shown : shown_) *shown.slot = averages_[shown.index].to(type);
}

double Trainable::update(double learning_rate) {
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const at::Tensor& master : masters_)
    gradients.push_back(master.grad().defined() ? master.grad() : at::zeros_like(master));
  const auto norm = at::stack(at::_foreach_norm(gradients)).norm().item<double>();
  if (std::isfinite(norm)) {
    if (norm > options_.clip_norm) at::_foreach_mul_(gradients, options_.clip_norm / norm);
    at::_foreach_add_(steps_, 1);
    at::_fused_adamw_(masters_, gradients, first_, second_, {}, steps_, learning_rate,
                      options_.beta1, options_.beta2, options_.weight_decay, options_.epsilon,
                      false, false);
    ++updates_;
    const auto n = static_cast<double>(updates_);
    const double decay = std::min(options_.average_decay, (1 + n) / (10 + n));
    at::_foreach_lerp_(averages_, masters_, 1 - decay);
  }
  for (at::Tensor& master : masters_) master.mutable_grad().reset();
  return norm;
}

StateDict Trainable::state() const {
  StateDict state;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    state["master." + names_[i]] = masters_[i].detach();
    state["average." + names_[i]] = averages_[i];
    state["first." + names_[i]] = first_[i];
    state["second." + names_[i]] = second_[i];
  }
  state["updates"] = at::scalar_tensor(updates_, at::kLong);
  return state;
}

void Trainable::restore(const StateDict& state) {
  const c10::NoGradGuard no_grad;
  const auto copy = [&](const std::string& name, at::Tensor& target) {
    const auto it = state.find(name);
    if (it == state.end() || it->second.sizes() != target.sizes())
      fail(Cause::BadInput, "training checkpoint: expected tensor ", name, " of shape ",
           target.sizes(), ", found ", it == state.end() ? "nothing" : "another shape",
           "; remove the checkpoint or use the options it was made with");
    target.copy_(it->second);
  };
  for (std::size_t i = 0; i < names_.size(); ++i) {
    copy("master." + names_[i], masters_[i]);
    copy("average." + names_[i], averages_[i]);
    copy("first." + names_[i], first_[i]);
    copy("second." + names_[i], second_[i]);
  }
  const auto it = state.find("updates");
  if (it == state.end()) fail(Cause::BadInput, "training checkpoint: tensor updates is missing");
  updates_ = it->second.item<std::int64_t>();
  for (at::Tensor& step : steps_) step.fill_(static_cast<double>(updates_));
}

StateDict Trainable::averages(at::ScalarType type, const std::string& prefix) const {
  StateDict weights;
  for (std::size_t i = 0; i < names_.size(); ++i)
    if (names_[i].starts_with(prefix))
      weights[names_[i].substr(prefix.size())] = averages_[i].to(type).contiguous();
  return weights;
}

}  // namespace affiche::diffusion
