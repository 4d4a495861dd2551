// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/euler_discrete.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {
namespace {

EulerConfig read_shared(ConfigReader& reader, const Json& json) {
  EulerConfig c;
  c.noise = read_noise_schedule(reader, json);
  c.timestep_spacing =
      choice(reader, "timestep_spacing", c.timestep_spacing, {"linspace", "leading", "trailing"});
  c.steps_offset = reader.any_integer("steps_offset", c.steps_offset);
  return c;
}

std::optional<double> positive(ConfigReader& reader, std::string_view key) {
  const double value = reader.number(key, -1);
  if (value == -1) return std::nullopt;
  if (!(value > 0)) reader.refuse(key, "expected a number above 0");
  return value;
}

}  // namespace

EulerConfig EulerConfig::from_json(const Json& json) {
  ConfigReader reader(json, "EulerDiscreteScheduler config");
  EulerConfig c = read_shared(reader, json);
  c.prediction_type = choice(reader, "prediction_type", c.prediction_type,
                             {"epsilon", "sample", "original_sample", "v_prediction"});
  c.interpolation_type =
      choice(reader, "interpolation_type", c.interpolation_type, {"linear", "log_linear"});
  c.timestep_type = choice(reader, "timestep_type", c.timestep_type, {"discrete", "continuous"});
  c.spacing = read_sigma_spacing(reader);
  c.sigma_min = positive(reader, "sigma_min");
  c.sigma_max = positive(reader, "sigma_max");
  c.final_sigma_zero = choice(reader, "final_sigmas_type", "zero", {"zero", "sigma_min"}) == "zero";
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

EulerConfig EulerConfig::ancestral_from_json(const Json& json) {
  ConfigReader reader(json, "EulerAncestralDiscreteScheduler config");
  EulerConfig c = read_shared(reader, json);
  c.prediction_type =
      choice(reader, "prediction_type", c.prediction_type, {"epsilon", "v_prediction"});
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

EulerDiscreteScheduler::EulerDiscreteScheduler(const EulerConfig& config)
    : config_(config), table_(alphas_cumprod(config.noise), config.noise.rescale_betas_zero_snr) {}

void EulerDiscreteScheduler::set_timesteps(std::int64_t n) {
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
    steps.clear();
    for (const double level : levels) steps.push_back(table_.to_timestep(level));
  }
  sigmas_ = sigma_tensor(levels, config_.final_sigma_zero ? 0 : table_.first());
  sigma_ = to_floats(sigmas_);
  if (config_.timestep_type == "continuous" && config_.prediction_type == "v_prediction") {
    begin(sigmas_.slice(0, 0, -1).log() * 0.25);
  } else {
    begin(float_tensor(steps));
  }
}

double EulerDiscreteScheduler::init_noise_sigma() const {
  const float largest = sigma_.empty() ? static_cast<float>(table_.last())
                                       : *std::max_element(sigma_.begin(), sigma_.end());
  if (config_.timestep_spacing != "leading") return largest;
  return std::sqrt(largest * largest + 1);
}

at::Tensor EulerDiscreteScheduler::scale_model_input(const at::Tensor& sample) const {
  const float sigma = sigma_[index()];
  return sample / std::sqrt(sigma * sigma + 1);
}

at::Tensor EulerDiscreteScheduler::original_at(const at::Tensor& model_output,
                                               const at::Tensor& sample, float sigma,
                                               float sigma_hat) const {
  if (config_.prediction_type == "epsilon") return sample - model_output * sigma_hat;
  if (config_.prediction_type == "v_prediction") {
    const float power = sigma * sigma + 1;
    return model_output * (-sigma / std::sqrt(power)) + sample / power;
  }
  return model_output;
}

at::Tensor EulerDiscreteScheduler::step(const at::Tensor& model_output, const at::Tensor& given,
                                        const StepOptions& options) {
  at::Tensor sample = given.to(at::kFloat);
  const float sigma = sigma_[index()];
  const float next = sigma_[index() + 1];
  double gamma = 0;
  if (options.s_tmin <= sigma && sigma <= options.s_tmax) {
    gamma = std::min(options.s_churn / static_cast<double>(sigma_.size() - 1), std::sqrt(2.0) - 1);
  }
  const float sigma_hat = sigma * static_cast<float>(gamma + 1);
  if (gamma > 0) {
    const at::Tensor noise = randn(model_output.sizes(), options.generators,
                                   model_output.scalar_type(), model_output.device());
    sample = sample + noise * options.s_noise * std::sqrt(sigma_hat * sigma_hat - sigma * sigma);
  }
  const at::Tensor original = original_at(model_output, sample, sigma, sigma_hat);
  const at::Tensor derivative = (sample - original) / sigma_hat;
  ++index_;
  return (sample + derivative * (next - sigma_hat)).to(model_output.scalar_type());
}

at::Tensor EulerDiscreteScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                             const at::Tensor& timesteps) const {
  const at::Tensor wanted = timesteps.to(at::kCPU, at::kDouble);
  std::vector<double> levels;
  for (std::int64_t i = 0; i < wanted.numel(); ++i) {
    const std::size_t place = begin_index_ > 0 ? begin_index_ : index_of(wanted[i].item<double>());
    levels.push_back(sigma_[place]);
  }
  std::vector<std::int64_t> shape(static_cast<std::size_t>(original.dim()), 1);
  shape[0] = wanted.numel();
  const at::Tensor sigma =
      float_tensor(levels).to(original.device(), original.scalar_type()).reshape(shape);
  return original + noise * sigma;
}

at::Tensor EulerAncestralDiscreteScheduler::step(const at::Tensor& model_output,
                                                 const at::Tensor& given,
                                                 const StepOptions& options) {
  const at::Tensor sample = given.to(at::kFloat);
  const float from = sigma_[index()];
  const float to = sigma_[index() + 1];
  const float up = std::sqrt(to * to * (from * from - to * to) / (from * from));
  const float down = std::sqrt(to * to - up * up);
  const at::Tensor original = original_at(model_output, sample, from, from);
  const at::Tensor derivative = (sample - original) / from;
  const at::Tensor noise = randn(model_output.sizes(), options.generators,
                                 model_output.scalar_type(), model_output.device());
  ++index_;
  return (sample + derivative * (down - from) + noise * up).to(model_output.scalar_type());
}

}  // namespace affiche::diffusion
