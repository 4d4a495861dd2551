// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/trainable.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "diffusion/training/block_quantization.h"
#include "diffusion/training/orthogonalize.h"

namespace affiche::diffusion {

const char* name(OptimizerState state) {
  switch (state) {
    case OptimizerState::Full:
      return "adamw";
    case OptimizerState::Factored:
      return "factored";
    case OptimizerState::EightBit:
      return "adamw8bit";
    case OptimizerState::Muon:
      return "muon";
  }
  return "";
}

std::size_t Trainable::add(const std::string& name, const at::Tensor& value) {
  const c10::NoGradGuard no_grad;
  at::Tensor master = value.detach().to(at::kFloat, false, true).contiguous();
  names_.push_back(name);
  averages_.push_back(master.clone());
  const bool factored = options_.state == OptimizerState::Factored;
  const bool matrix = factored && master.dim() > 1;
  const at::Tensor flat = matrix ? master.flatten(1) : master;
  const at::Tensor none = at::zeros({0}, master.options());
  first_.push_back(factored ? none : at::zeros_like(master));
  second_.push_back(matrix ? at::zeros({flat.size(0)}, master.options()) : at::zeros_like(master));
  columns_.push_back(at::zeros({matrix ? flat.size(1) : 0}, master.options()));
  first_scales_.push_back(none);
  second_scales_.push_back(none);
  if (quantized(master)) {
    Quantized zeros = quantize(first_.back(), QuantizationMap::Signed);
    first_.back() = zeros.codes;
    first_scales_.back() = zeros.scales;
    zeros = quantize(second_.back(), QuantizationMap::Unsigned);
    second_.back() = zeros.codes;
    second_scales_.back() = zeros.scales;
  }
  steps_.push_back(at::zeros({}, at::TensorOptions(at::kFloat).device(master.device())));
  masters_.push_back(master.set_requires_grad(true));
  if (orthogonal(masters_.size() - 1)) second_.back() = none;
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
    if (options_.state == OptimizerState::Factored)
      update_factored(gradients, learning_rate);
    else
      update_full(gradients, learning_rate);
    ++updates_;
    const auto n = static_cast<double>(updates_);
    const double decay = std::min(options_.average_decay, (1 + n) / (10 + n));
    at::_foreach_lerp_(averages_, masters_, 1 - decay);
  }
  for (at::Tensor& master : masters_) master.mutable_grad().reset();
  return norm;
}

void Trainable::update_full(const std::vector<at::Tensor>& gradients, double learning_rate) {
  std::vector<at::Tensor> masters, slopes, first, second, steps;
  for (std::size_t i = 0; i < masters_.size(); ++i) {
    if (quantized(masters_[i])) {
      update_quantized(i, gradients[i], learning_rate);
      continue;
    }
    if (orthogonal(i)) {
      update_muon(i, gradients[i], learning_rate);
      continue;
    }
    masters.push_back(masters_[i]);
    slopes.push_back(gradients[i]);
    first.push_back(first_[i]);
    second.push_back(second_[i]);
    steps.push_back(steps_[i]);
  }
  if (masters.empty()) return;
  at::_fused_adamw_(masters, slopes, first, second, {}, steps, learning_rate, options_.beta1,
                    options_.beta2, options_.weight_decay, options_.epsilon, false, false);
}

// AdamW between two quantizations: the step itself sees the moments in float32.
void Trainable::update_quantized(std::size_t index, const at::Tensor& gradient,
                                 double learning_rate) {
  const at::Tensor& master = masters_[index];
  const auto count = static_cast<double>(updates_ + 1);
  at::Tensor first =
      dequantize({first_[index], first_scales_[index]}, QuantizationMap::Signed, master.sizes());
  first.lerp_(gradient, 1 - options_.beta1);
  at::Tensor root = dequantize({second_[index], second_scales_[index]}, QuantizationMap::Unsigned,
                               master.sizes());
  root = root.square_().lerp_(gradient.square(), 1 - options_.beta2).sqrt_();
  const at::Tensor spread =
      root / std::sqrt(1 - std::pow(options_.beta2, count)) + options_.epsilon;
  master.mul_(1 - learning_rate * options_.weight_decay)
      .addcdiv_(first, spread, -learning_rate / (1 - std::pow(options_.beta1, count)));
  const Quantized next_first = quantize(first, QuantizationMap::Signed);
  first_[index] = next_first.codes;
  first_scales_[index] = next_first.scales;
  const Quantized next_root = quantize(root, QuantizationMap::Unsigned);
  second_[index] = next_root.codes;
  second_scales_[index] = next_root.scales;
}

// Layers between a net's first and last: embeddings and those two have no geometry of directions.
bool Trainable::orthogonal(std::size_t index) const {
  if (options_.state != OptimizerState::Muon || masters_[index].dim() < 2) return false;
  const std::string& name = names_[index];
  const auto has = [&](const char* word) { return name.find(word) != std::string::npos; };
  return !has("embedding") && !has("conv_in.") && !has("conv_out.");
}

// A kernel of a convolution is the matrix of its output channels. The step's size is that of
// AdamW's common ones, so that one rate suits both (Liu et al. 2025, "Muon is scalable for LLM
// training", equation 4).
void Trainable::update_muon(std::size_t index, const at::Tensor& gradient, double learning_rate) {
  constexpr double kCommonSize = 0.2;
  const at::Tensor& master = masters_[index];
  first_[index].lerp_(gradient, 1 - options_.momentum);
  const at::Tensor ahead = gradient.lerp(first_[index], options_.momentum).flatten(1);
  const auto side = static_cast<double>(std::max(ahead.size(0), ahead.size(1)));
  master.mul_(1 - learning_rate * options_.weight_decay)
      .add_(orthogonalize(ahead).view(master.sizes()),
            -learning_rate * kCommonSize * std::sqrt(side));
}

void Trainable::update_factored(const std::vector<at::Tensor>& gradients, double learning_rate) {
  const double correction = 1 - std::pow(options_.beta2, static_cast<double>(updates_ + 1));
  for (std::size_t i = 0; i < masters_.size(); ++i) {
    const at::Tensor square = gradients[i].square() + 1e-30;
    at::Tensor spread;
    if (masters_[i].dim() > 1) {
      const at::Tensor flat = square.flatten(1);
      second_[i].lerp_(flat.mean(1), 1 - options_.beta2);
      columns_[i].lerp_(flat.mean(0), 1 - options_.beta2);
      spread = (at::outer(second_[i], columns_[i]) / second_[i].mean()).view(masters_[i].sizes());
    } else {
      second_[i].lerp_(square, 1 - options_.beta2);
      spread = second_[i];
    }
    at::Tensor change = gradients[i] / ((spread / correction).sqrt() + options_.epsilon);
    // Clipped to a root mean square of 1, as the paper's update clipping does.
    const double size = change.square().mean().sqrt().item<double>();
    if (size > 1) change = change / size;
    masters_[i].mul_(1 - learning_rate * options_.weight_decay).sub_(change, learning_rate);
  }
}

StateDict Trainable::state() const {
  StateDict state;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    state["master." + names_[i]] = masters_[i].detach();
    state["average." + names_[i]] = averages_[i];
    state["first." + names_[i]] = first_[i];
    state["second." + names_[i]] = second_[i];
    if (options_.state == OptimizerState::Factored) state["columns." + names_[i]] = columns_[i];
    if (!quantized(masters_[i])) continue;
    state["first-scales." + names_[i]] = first_scales_[i];
    state["second-scales." + names_[i]] = second_scales_[i];
  }
  state["updates"] = at::scalar_tensor(updates_, at::kLong);
  return state;
}

void Trainable::restore(const StateDict& state) {
  const c10::NoGradGuard no_grad;
  const auto copy = [&](const std::string& name, at::Tensor& target) {
    const auto it = state.find(name);
    if (it == state.end() || it->second.sizes() != target.sizes() ||
        it->second.scalar_type() != target.scalar_type())
      fail(Cause::BadInput, "training checkpoint: expected tensor ", name, " of shape ",
           target.sizes(), ", found ", it == state.end() ? "nothing" : "another one",
           "; remove the checkpoint or use the options it was made with");
    target.copy_(it->second);
  };
  for (std::size_t i = 0; i < names_.size(); ++i) {
    copy("master." + names_[i], masters_[i]);
    copy("average." + names_[i], averages_[i]);
    copy("first." + names_[i], first_[i]);
    copy("second." + names_[i], second_[i]);
    if (options_.state == OptimizerState::Factored) copy("columns." + names_[i], columns_[i]);
    if (!quantized(masters_[i])) continue;
    copy("first-scales." + names_[i], first_scales_[i]);
    copy("second-scales." + names_[i], second_scales_[i]);
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
