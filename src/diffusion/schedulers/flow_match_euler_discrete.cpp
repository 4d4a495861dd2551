// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/flow_match_euler_discrete.h"

#include <ATen/ATen.h>

#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

FlowMatchEulerConfig FlowMatchEulerConfig::from_json(const Json& json) {
  ConfigReader reader(json, "FlowMatchEulerDiscreteScheduler config");
  FlowMatchEulerConfig c;
  c.num_train_timesteps = read_num_train_timesteps(reader);
  c.shift = read_positive(reader, "shift").value_or(c.shift);
  c.use_dynamic_shifting = reader.flag("use_dynamic_shifting", c.use_dynamic_shifting);
  c.time_shift_type =
      choice(reader, "time_shift_type", c.time_shift_type, {"exponential", "linear"});
  c.shift_terminal = read_shift_terminal(reader);
  c.spacing = read_sigma_spacing(reader);
  c.invert_sigmas = reader.flag("invert_sigmas", c.invert_sigmas);
  c.stochastic_sampling = reader.flag("stochastic_sampling", c.stochastic_sampling);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void FlowMatchEulerDiscreteScheduler::plan(std::int64_t n, const RunOptions& options) {
  check_step_count(class_name(), n, config_.num_train_timesteps);
  std::vector<double> levels = given_sigmas(class_name(), options, n);
  if (levels.empty()) {
    levels = flow_levels(n, config_.num_train_timesteps,
                         config_.use_dynamic_shifting ? 1 : config_.shift);
  }
  shift_levels(levels,
               {class_name(), config_.shift, config_.use_dynamic_shifting,
                config_.time_shift_type == "linear", config_.shift_terminal},
               options);
  if (config_.spacing != SigmaSpacing::AsTimesteps) {
    levels = respace(config_.spacing, levels.back(), levels.front(), n);
  }
  at::Tensor sigmas = float_tensor(levels);
  if (config_.invert_sigmas) sigmas = 1 - sigmas;
  const at::Tensor end = at::full({1}, config_.invert_sigmas ? 1.0 : 0.0, at::kFloat);
  sigmas_ = at::cat({sigmas, end});
  sigma_ = to_floats(sigmas_);
  begin(sigmas * static_cast<double>(config_.num_train_timesteps));
}

at::Tensor FlowMatchEulerDiscreteScheduler::step(const at::Tensor& model_output,
                                                 const at::Tensor& given,
                                                 const StepOptions& options) {
  const at::Tensor sample = given.to(at::kFloat);
  const float from = sigma_[index()];
  const float to = sigma_[index() + 1];
  at::Tensor result;
  if (config_.stochastic_sampling) {
    const at::Tensor original = sample - model_output * from;
    const at::Tensor noise = randn(sample.sizes(), options.generators, at::kFloat, sample.device());
    result = original * (1 - to) + noise * to;
  } else {
    result = sample + model_output * (to - from);
  }
  ++index_;
  return result.to(model_output.scalar_type());
}

at::Tensor FlowMatchEulerDiscreteScheduler::add_noise(const at::Tensor& original,
                                                      const at::Tensor& noise,
                                                      const at::Tensor& timesteps) const {
  std::vector<double> levels;
  for (const std::size_t place : places_of(timesteps)) levels.push_back(sigma_[place]);
  const at::Tensor sigma = per_image(levels, original);
  return noise * sigma + original * (1 - sigma);
}

}  // namespace affiche::diffusion
