// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/sigma_space.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

SigmaSpaceConfig read_sigma_space(ConfigReader& reader, const Json& json,
                                  const NoiseScheduleConfig& noise,
                                  const std::vector<std::string_view>& predictions,
                                  std::initializer_list<std::string_view> also) {
  SigmaSpaceConfig c;
  c.noise = read_noise_schedule(reader, json, noise, also);
  c.prediction_type = choice(reader, "prediction_type", c.prediction_type, predictions);
  c.timestep_spacing =
      choice(reader, "timestep_spacing", c.timestep_spacing, {"linspace", "leading", "trailing"});
  c.steps_offset = reader.any_integer("steps_offset", c.steps_offset);
  c.spacing = read_sigma_spacing(reader);
  return c;
}

SigmaSpaceScheduler::SigmaSpaceScheduler(const SigmaSpaceConfig& config)
    : space_(config), table_(alphas_cumprod(config.noise), config.noise.rescale_betas_zero_snr) {}

SigmaSpaceScheduler::Run SigmaSpaceScheduler::spaced_run(std::int64_t n, bool single) const {
  check_step_count(class_name(), n, space_.noise.num_train_timesteps);
  Run run;
  run.timesteps =
      spaced_timesteps(space_.timestep_spacing, n, space_.noise, space_.steps_offset, false);
  if (single) {
    for (double& t : run.timesteps) t = static_cast<double>(static_cast<float>(t));
  }
  run.levels = table_.at_timesteps(run.timesteps);
  if (space_.spacing != SigmaSpacing::AsTimesteps) {
    run.levels = respace(space_.spacing, run.levels.back(), run.levels.front(), n);
    run.timesteps = table_.to_timesteps(run.levels);
  }
  return run;
}

void SigmaSpaceScheduler::set_sigmas(const at::Tensor& sigmas) {
  sigmas_ = sigmas;
  sigma_ = to_floats(sigmas);
}

double SigmaSpaceScheduler::init_noise_sigma() const {
  const float largest = sigma_.empty() ? static_cast<float>(table_.last())
                                       : *std::max_element(sigma_.begin(), sigma_.end());
  if (space_.timestep_spacing != "leading") return largest;
  return std::sqrt(largest * largest + 1);
}

at::Tensor SigmaSpaceScheduler::scale_model_input(const at::Tensor& sample) const {
  const float sigma = sigma_[index()];
  return sample / std::sqrt(sigma * sigma + 1);
}

at::Tensor SigmaSpaceScheduler::original_at(const at::Tensor& model_output,
                                            const at::Tensor& sample, float sigma) const {
  if (space_.prediction_type == "epsilon") return sample - model_output * sigma;
  if (space_.prediction_type == "v_prediction") {
    const float power = sigma * sigma + 1;
    return model_output * (-sigma / std::sqrt(power)) + sample / power;
  }
  return model_output;
}

at::Tensor SigmaSpaceScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                          const at::Tensor& timesteps) const {
  std::vector<double> levels;
  for (const std::size_t place : places_of(timesteps)) levels.push_back(sigma_[place]);
  return original + noise * per_image(levels, original);
}

std::vector<double> doubled(const std::vector<double>& values) {
  std::vector<double> result;
  for (std::size_t i = 0; i < values.size(); ++i) {
    result.insert(result.end(), i == 0 ? 1 : 2, values[i]);
  }
  return result;
}

Churned churn(const at::Tensor& sample, float sigma, std::size_t steps,
              const at::Tensor& model_output, const StepOptions& options) {
  double gamma = 0;
  if (options.s_tmin <= sigma && sigma <= options.s_tmax) {
    gamma = std::min(options.s_churn / static_cast<double>(steps), std::sqrt(2.0) - 1);
  }
  const float raised = sigma * static_cast<float>(gamma + 1);
  if (!(gamma > 0)) return {sample, raised};
  const at::Tensor noise = randn(model_output.sizes(), options.generators,
                                 model_output.scalar_type(), model_output.device());
  return {sample + noise * options.s_noise * std::sqrt(raised * raised - sigma * sigma), raised};
}

AncestralStep ancestral_step(float from, float to) {
  const float up = std::sqrt(to * to * (from * from - to * to) / (from * from));
  return {std::sqrt(to * to - up * up), up};
}

}  // namespace affiche::diffusion
