// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/init.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace affiche::diffusion {
namespace {

bool is_zero(const std::string& name) {
  return name == "conv_out.weight" || name.ends_with(".conv2.weight") ||
         name.ends_with(".proj_out.weight") ||
         name.ends_with("mid_block.attentions.0.to_out.0.weight");
}

bool ends_residual_of_text(const std::string& name) {
  return name.ends_with(".out_proj.weight") || name.ends_with(".fc2.weight");
}

at::Tensor uniform(const std::vector<std::int64_t>& shape, double gain, at::Generator& generator) {
  std::int64_t fan_in = 1;
  for (std::size_t i = 1; i < shape.size(); ++i) fan_in *= shape[i];
  const double bound = gain * std::sqrt(3.0 / static_cast<double>(fan_in));
  return at::empty(shape, at::kFloat).uniform_(-bound, bound, generator);
}

at::Tensor first_value(const Slot& slot, double text_gain, at::Generator& generator) {
  const std::string& name = slot.name;
  if (name.ends_with("bias")) return at::zeros(slot.shape);
  if (slot.shape.size() == 1) return at::ones(slot.shape);  // only norms have such weights
  if (name.ends_with("position_embedding.weight")) {
    return at::empty(slot.shape, at::kFloat).normal_(0.0, 0.01, generator);
  }
  if (name.ends_with("token_embedding.weight")) {
    return at::empty(slot.shape, at::kFloat).normal_(0.0, 0.02, generator);
  }
  if (is_zero(name)) return at::zeros(slot.shape);
  return uniform(slot.shape, ends_residual_of_text(name) ? text_gain : 1.0, generator);
}

}  // namespace

void initialize(Parameters& parameters, at::Generator generator) {
  const auto& slots = parameters.slots();
  const auto residuals = std::count_if(slots.begin(), slots.end(), [](const Slot& slot) {
    return ends_residual_of_text(slot.name);
  });
  const double text_gain = 1.0 / std::sqrt(std::max(1.0, static_cast<double>(residuals)));
  for (const Slot& slot : slots) *slot.tensor = first_value(slot, text_gain, generator);
}

}  // namespace affiche::diffusion
