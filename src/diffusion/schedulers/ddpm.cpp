// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/ddpm.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

DDPMConfig DDPMConfig::from_json(const Json& json) {
  ConfigReader reader(json, "DDPMScheduler config");
  DDPMConfig c;
  c.noise = read_noise_schedule(reader, json, {}, {"sigmoid", "laplace"});
  c.prediction_type =
      choice(reader, "prediction_type", c.prediction_type, {"epsilon", "sample", "v_prediction"});
  // fixed_large_log is left out: its deviation is the root of a negative number in diffusers.
  c.variance_type =
      choice(reader, "variance_type", c.variance_type,
             {"fixed_small", "fixed_small_log", "fixed_large", "learned", "learned_range"});
  c.timestep_spacing =
      choice(reader, "timestep_spacing", c.timestep_spacing, {"linspace", "leading", "trailing"});
  c.steps_offset = reader.any_integer("steps_offset", c.steps_offset);
  c.clip = read_clip(reader, true);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

DDPMScheduler::DDPMScheduler(const DDPMConfig& config)
    : config_(config), alphas_(alphas_cumprod(config.noise)), alpha_(to_floats(alphas_)) {}

void DDPMScheduler::plan(std::int64_t n, const RunOptions&) {
  check_step_count(class_name(), n, config_.noise.num_train_timesteps);
  begin(int64_tensor(
      spaced_timesteps(config_.timestep_spacing, n, config_.noise, config_.steps_offset, true)));
  check_timesteps(class_name(), timesteps_, alpha_.size());
}

// The posterior of the step: formulas (6) and (7), with the alpha and beta of the whole step.
at::Tensor DDPMScheduler::step(const at::Tensor& given_output, const at::Tensor& sample,
                               const StepOptions& options) {
  const std::int64_t* timesteps = timesteps_.const_data_ptr<std::int64_t>();
  const std::int64_t t = timesteps[index()];
  const float alpha_bar = alpha_[static_cast<std::size_t>(t)];
  const float alpha_bar_prev =
      index() + 1 < step_count() ? alpha_[static_cast<std::size_t>(timesteps[index() + 1])] : 1;
  const float beta_bar = 1 - alpha_bar;
  const float alpha = alpha_bar / alpha_bar_prev;
  const float beta = 1 - alpha;

  at::Tensor model_output = given_output;
  at::Tensor predicted;
  if (config_.variance_type.starts_with("learned")) {
    if (model_output.size(1) != 2 * sample.size(1)) {
      fail(Cause::BadInput, class_name(), ": variance_type ", config_.variance_type,
           ": the model has no output for it; expected fixed_small");
    }
    predicted = model_output.slice(1, sample.size(1));
    model_output = model_output.slice(1, 0, sample.size(1));
  }
  at::Tensor original = model_output;
  if (config_.prediction_type == "epsilon") {
    original = (sample - model_output * std::sqrt(beta_bar)) / std::sqrt(alpha_bar);
  } else if (config_.prediction_type == "v_prediction") {
    original = sample * std::sqrt(alpha_bar) - model_output * std::sqrt(beta_bar);
  }
  original = config_.clip.apply(original);
  at::Tensor result = original * (std::sqrt(alpha_bar_prev) * beta / beta_bar) +
                      sample * (std::sqrt(alpha) * (1 - alpha_bar_prev) / beta_bar);
  if (t > 0) {
    const at::Tensor noise = randn(model_output.sizes(), options.generators,
                                   model_output.scalar_type(), model_output.device());
    result = result + scaled_noise(noise, predicted, alpha_bar, alpha_bar_prev);
  }
  ++index_;
  return result;
}

at::Tensor DDPMScheduler::scaled_noise(const at::Tensor& noise, const at::Tensor& predicted,
                                       float alpha_bar, float alpha_bar_prev) const {
  const float beta = 1 - alpha_bar / alpha_bar_prev;
  const float small = std::max((1 - alpha_bar_prev) / (1 - alpha_bar) * beta, 1e-20f);
  if (config_.variance_type == "learned") return predicted.sqrt() * noise;
  if (config_.variance_type == "learned_range") {
    const at::Tensor fraction = (predicted + 1) / 2;
    const at::Tensor log = fraction * std::log(beta) + (1 - fraction) * std::log(small);
    return (log * 0.5).exp() * noise;
  }
  return noise * std::sqrt(config_.variance_type == "fixed_large" ? beta : small);
}

at::Tensor DDPMScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                    const at::Tensor& timesteps) const {
  return add_noise_at(alphas_, original, noise, timesteps);
}

}  // namespace affiche::diffusion
