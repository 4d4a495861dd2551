// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/edm_euler.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/json.h"
#include "diffusion/schedulers/sigma_space.h"

namespace affiche::diffusion {

EDMEulerConfig EDMEulerConfig::from_json(const Json& json) {
  ConfigReader reader(json, "EDMEulerScheduler config");
  EDMEulerConfig c;
  c.sigma_min = read_positive(reader, "sigma_min").value_or(c.sigma_min);
  c.sigma_max = read_positive(reader, "sigma_max").value_or(c.sigma_max);
  c.sigma_data = read_positive(reader, "sigma_data").value_or(c.sigma_data);
  c.exponential =
      choice(reader, "sigma_schedule", "karras", {"karras", "exponential"}) == "exponential";
  c.rho = read_positive(reader, "rho").value_or(c.rho);
  c.num_train_timesteps = read_num_train_timesteps(reader);
  c.prediction_type =
      choice(reader, "prediction_type", c.prediction_type, {"epsilon", "v_prediction"});
  c.final_sigma_zero = read_final_sigma_zero(reader);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void EDMEulerScheduler::plan(std::int64_t n, const RunOptions&) {
  check_step_count(class_name(), n, config_.num_train_timesteps);
  at::Tensor levels;
  if (config_.exponential) {
    levels = at::linspace(std::log(config_.sigma_min), std::log(config_.sigma_max), n, at::kFloat)
                 .exp()
                 .flip(0);
  } else {
    std::vector<double> karras =
        respace(SigmaSpacing::Karras, config_.sigma_min, config_.sigma_max, n, config_.rho);
    levels = float_tensor(karras);
  }
  const at::Tensor end =
      config_.final_sigma_zero ? at::zeros({1}, at::kFloat) : levels.slice(0, n - 1).clone();
  sigmas_ = at::cat({levels, end});
  sigma_ = to_floats(sigmas_);
  begin(levels.log() * 0.25);  // c_noise
}

double EDMEulerScheduler::init_noise_sigma() const {
  return std::sqrt(config_.sigma_max * config_.sigma_max + 1);
}

at::Tensor EDMEulerScheduler::scale_model_input(const at::Tensor& sample) const {
  const float sigma = sigma_[index()];
  const auto data = static_cast<float>(config_.sigma_data * config_.sigma_data);
  return sample * (1 / std::sqrt(sigma * sigma + data));  // c_in
}

at::Tensor EDMEulerScheduler::step(const at::Tensor& model_output, const at::Tensor& given,
                                   const StepOptions& options) {
  const Churned churned =
      churn(given.to(at::kFloat), sigma_[index()], sigma_.size() - 1, model_output, options);
  const float sigma = churned.sigma;
  const auto data = static_cast<float>(config_.sigma_data * config_.sigma_data);
  const float power = sigma * sigma + data;
  const float sign = config_.prediction_type == "epsilon" ? 1 : -1;
  const float c_skip = data / power;
  const float c_out = sign * sigma * static_cast<float>(config_.sigma_data) / std::sqrt(power);
  const at::Tensor original = churned.sample * c_skip + model_output * c_out;
  const at::Tensor derivative = (churned.sample - original) / sigma;
  const at::Tensor result = churned.sample + derivative * (sigma_[index() + 1] - sigma);
  ++index_;
  return result.to(model_output.scalar_type());
}

at::Tensor EDMEulerScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                        const at::Tensor& timesteps) const {
  std::vector<double> levels;
  for (const std::size_t place : places_of(timesteps)) levels.push_back(sigma_[place]);
  return original + noise * per_image(levels, original);
}

}  // namespace affiche::diffusion
