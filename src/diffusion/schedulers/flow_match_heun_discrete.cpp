// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/flow_match_heun_discrete.h"

#include <ATen/ATen.h>

#include "base/json.h"
#include "diffusion/schedulers/sigma_space.h"

namespace affiche::diffusion {

FlowMatchHeunConfig FlowMatchHeunConfig::from_json(const Json& json) {
  ConfigReader reader(json, "FlowMatchHeunDiscreteScheduler config");
  FlowMatchHeunConfig c;
  c.num_train_timesteps = read_num_train_timesteps(reader);
  c.shift = read_positive(reader, "shift").value_or(c.shift);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void FlowMatchHeunDiscreteScheduler::plan(std::int64_t n, const RunOptions& options) {
  check_step_count(class_name(), n, config_.num_train_timesteps);
  std::vector<double> levels = flow_levels(n, config_.num_train_timesteps, config_.shift);
  shift_levels(levels, {class_name(), config_.shift, false, false, {}}, options);
  sigmas_ = sigma_tensor(doubled(levels), 0);
  sigma_ = to_floats(sigmas_);
  begin(sigmas_.slice(0, 0, -1) * static_cast<double>(config_.num_train_timesteps));
  sample_.reset();
  derivative_.reset();
}

at::Tensor FlowMatchHeunDiscreteScheduler::step(const at::Tensor& model_output,
                                                const at::Tensor& given,
                                                const StepOptions& options) {
  const bool first = !sample_.defined();
  const float from = sigma_[first ? index() : index() - 1];
  const float to = sigma_[first ? index() + 1 : index()];
  const Churned churned =
      churn(given.to(at::kFloat), from, sigma_.size() - 1, model_output, options);
  ++index_;
  at::Tensor result;
  const at::Tensor original = churned.sample - model_output * (first ? from : to);
  const at::Tensor derivative = (churned.sample - original) / (first ? churned.sigma : to);
  if (first) {
    derivative_ = derivative;
    length_ = to - churned.sigma;
    sample_ = churned.sample;
    result = sample_ + derivative_ * length_;
  } else {
    result = sample_ + (derivative_ + derivative) * 0.5 * length_;
    sample_.reset();
    derivative_.reset();
  }
  return result.to(model_output.scalar_type());
}

at::Tensor FlowMatchHeunDiscreteScheduler::add_noise(const at::Tensor& original,
                                                     const at::Tensor& noise,
                                                     const at::Tensor& timesteps) const {
  const float sigma = sigma_[places_of(timesteps.reshape({-1}).slice(0, 0, 1))[0]];
  return noise * sigma + original * (1 - sigma);
}

}  // namespace affiche::diffusion
