// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/ddim.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

DDIMConfig DDIMConfig::from_json(const Json& json) {
  ConfigReader reader(json, "DDIMScheduler config");
  DDIMConfig c;
  c.noise = read_noise_schedule(reader, json);
  c.prediction_type =
      choice(reader, "prediction_type", c.prediction_type, {"epsilon", "sample", "v_prediction"});
  c.timestep_spacing =
      choice(reader, "timestep_spacing", c.timestep_spacing, {"linspace", "leading", "trailing"});
  c.steps_offset = reader.any_integer("steps_offset", c.steps_offset);
  c.clip = read_clip(reader, true);
  c.set_alpha_to_one = reader.flag("set_alpha_to_one", c.set_alpha_to_one);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

DDIMScheduler::DDIMScheduler(const DDIMConfig& config)
    : config_(config), alphas_(alphas_cumprod(config.noise)), alpha_(to_floats(alphas_)) {}

void DDIMScheduler::plan(std::int64_t n, const RunOptions&) {
  check_step_count(class_name(), n, config_.noise.num_train_timesteps);
  stride_ = config_.noise.num_train_timesteps / n;
  begin(int64_tensor(
      spaced_timesteps(config_.timestep_spacing, n, config_.noise, config_.steps_offset, true)));
}

// Past the first training step there is no noise left, or as much as at the first step.
float DDIMScheduler::alpha_at(std::int64_t timestep) const {
  if (timestep < 0) return config_.set_alpha_to_one ? 1.0f : alpha_.front();
  if (timestep >= static_cast<std::int64_t>(alpha_.size())) {
    fail(Cause::BadInput, "DDIMScheduler config: \"steps_offset\" leads to the time step ",
         timestep, " of ", alpha_.size());
  }
  return alpha_[static_cast<std::size_t>(timestep)];
}

// Names as in the paper: formulas (12) and (16).
at::Tensor DDIMScheduler::step(const at::Tensor& model_output, const at::Tensor& sample,
                               const StepOptions& options) {
  const std::int64_t t = timesteps_.const_data_ptr<std::int64_t>()[index()];
  const float alpha = alpha_at(t);
  const float alpha_prev = alpha_at(t - stride_);
  const float beta = 1 - alpha;
  const float root_alpha = std::sqrt(alpha);
  const float root_beta = std::sqrt(beta);

  at::Tensor original, epsilon;
  if (config_.prediction_type == "epsilon") {
    original = (sample - model_output * root_beta) / root_alpha;
    epsilon = model_output;
  } else if (config_.prediction_type == "sample") {
    original = model_output;
    epsilon = (sample - original * root_alpha) / root_beta;
  } else {
    original = sample * root_alpha - model_output * root_beta;
    epsilon = model_output * root_alpha + sample * root_beta;
  }
  original = config_.clip.apply(original);
  const float variance = (1 - alpha_prev) / beta * (1 - alpha / alpha_prev);
  const float deviation = static_cast<float>(options.eta) * std::sqrt(variance);
  if (options.use_clipped_model_output) epsilon = (sample - original * root_alpha) / root_beta;

  const float direction = std::sqrt(1 - alpha_prev - deviation * deviation);
  at::Tensor result = original * std::sqrt(alpha_prev) + epsilon * direction;
  if (options.eta > 0) {
    const at::Tensor noise = randn(model_output.sizes(), options.generators,
                                   model_output.scalar_type(), model_output.device());
    result = result + noise * deviation;
  }
  ++index_;
  return result;
}

at::Tensor DDIMScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                    const at::Tensor& timesteps) const {
  return add_noise_at(alphas_, original, noise, timesteps);
}

}  // namespace affiche::diffusion
