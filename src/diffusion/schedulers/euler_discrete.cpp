// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/euler_discrete.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

EulerConfig EulerConfig::from_json(const Json& json) {
  ConfigReader reader(json, "EulerDiscreteScheduler config");
  EulerConfig c;
  static_cast<SigmaSpaceConfig&>(c) =
      read_sigma_space(reader, json, {}, {"epsilon", "sample", "original_sample", "v_prediction"});
  c.interpolation_type =
      choice(reader, "interpolation_type", c.interpolation_type, {"linear", "log_linear"});
  c.timestep_type = choice(reader, "timestep_type", c.timestep_type, {"discrete", "continuous"});
  c.sigma_min = read_positive(reader, "sigma_min");
  c.sigma_max = read_positive(reader, "sigma_max");
  c.final_sigma_zero = read_final_sigma_zero(reader);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void EulerDiscreteScheduler::plan(std::int64_t n, const RunOptions&) {
  check_step_count(class_name(), n, config_.noise.num_train_timesteps);
  std::vector<double> steps =
      spaced_timesteps(config_.timestep_spacing, n, config_.noise, config_.steps_offset, false);
  for (double& t : steps) t = static_cast<double>(static_cast<float>(t));
  std::vector<double> levels;
  if (config_.interpolation_type == "linear") {
    levels = table_.at_timesteps(steps);
  } else {
    for (const float level : to_floats(
             at::linspace(table_.logs.back(), table_.logs.front(), n + 1, at::kFloat).exp())) {
      levels.push_back(level);
    }
  }
  if (config_.spacing != SigmaSpacing::AsTimesteps) {
    levels = respace(config_.spacing, config_.sigma_min.value_or(levels.back()),
                     config_.sigma_max.value_or(levels.front()), n);
    steps = table_.to_timesteps(levels);
  }
  set_sigmas(sigma_tensor(levels, config_.final_sigma_zero ? 0 : table_.first()));
  if (config_.timestep_type == "continuous" && config_.prediction_type == "v_prediction") {
    begin(sigmas_.slice(0, 0, -1).log() * 0.25);
  } else {
    begin(float_tensor(steps));
  }
}

at::Tensor EulerDiscreteScheduler::step(const at::Tensor& model_output, const at::Tensor& given,
                                        const StepOptions& options) {
  const float sigma = sigma_[index()];
  const float next = sigma_[index() + 1];
  const Churned churned =
      churn(given.to(at::kFloat), sigma, sigma_.size() - 1, model_output, options);
  const at::Tensor& sample = churned.sample;
  // Only epsilon looks at the level that churning leads to, as in diffusers.
  const at::Tensor original = original_at(
      model_output, sample, config_.prediction_type == "epsilon" ? churned.sigma : sigma);
  const at::Tensor derivative = (sample - original) / churned.sigma;
  ++index_;
  return (sample + derivative * (next - churned.sigma)).to(model_output.scalar_type());
}

}  // namespace affiche::diffusion
