// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/pndm.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace affiche::diffusion {

PNDMConfig PNDMConfig::from_json(const Json& json) {
  ConfigReader reader(json, "PNDMScheduler config");
  PNDMConfig c;
  c.noise = read_noise_schedule(reader, json);
  c.noise.rescale_betas_zero_snr = false;  // not an option of this class
  c.skip_prk_steps = reader.flag("skip_prk_steps", c.skip_prk_steps);
  c.set_alpha_to_one = reader.flag("set_alpha_to_one", c.set_alpha_to_one);
  c.prediction_type =
      choice(reader, "prediction_type", c.prediction_type, {"epsilon", "v_prediction"});
  c.timestep_spacing =
      choice(reader, "timestep_spacing", c.timestep_spacing, {"linspace", "leading", "trailing"});
  c.steps_offset = reader.any_integer("steps_offset", c.steps_offset);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

PNDMScheduler::PNDMScheduler(const PNDMConfig& config)
    : config_(config), alphas_(alphas_cumprod(config.noise)), alpha_(to_floats(alphas_)) {}

void PNDMScheduler::plan(std::int64_t n, const RunOptions&) {
  check_step_count(class_name(), n, config_.noise.num_train_timesteps);
  if (!config_.skip_prk_steps && n < 4) {
    fail(Cause::Usage, class_name(), ": expected at least 4 steps without skip_prk_steps, found ",
         n);
  }
  stride_ = config_.noise.num_train_timesteps / n;
  const std::vector<double> steps =
      spaced_timesteps(config_.timestep_spacing, n, config_.noise, config_.steps_offset, true);
  std::vector<double> all;
  runge_kutta_timesteps_.clear();
  if (config_.skip_prk_steps) {
    // The second step is taken twice, to correct the first one.
    all = steps;
    if (steps.size() > 1) all.insert(all.begin() + 1, steps[1]);
  } else {
    // Four stages for each of the first three steps: at the step, twice halfway, at the next.
    std::vector<double> halves;
    for (std::size_t i = 4; i-- > 0;) {
      halves.push_back(steps[i]);
      halves.push_back(steps[i] + static_cast<double>(stride_ / 2));
    }
    halves.pop_back();
    for (const double half : halves)
      runge_kutta_timesteps_.insert(runge_kutta_timesteps_.end(), 2, half);
    runge_kutta_timesteps_.erase(runge_kutta_timesteps_.begin());
    runge_kutta_timesteps_.pop_back();
    std::reverse(runge_kutta_timesteps_.begin(), runge_kutta_timesteps_.end());
    all = runge_kutta_timesteps_;
    all.insert(all.end(), steps.begin() + 3, steps.end());
  }
  begin(int64_tensor(all));
  counter_ = 0;
  outputs_.clear();
  sum_.reset();
  sample_.reset();
}

float PNDMScheduler::alpha_at(std::int64_t timestep) const {
  if (timestep < 0) return config_.set_alpha_to_one ? 1.0f : alpha_.front();
  if (timestep >= static_cast<std::int64_t>(alpha_.size())) {
    fail(Cause::BadInput, "PNDMScheduler: the time step ", timestep, " lies beyond the ",
         alpha_.size(), " of training; check steps_offset and the number of steps");
  }
  return alpha_[static_cast<std::size_t>(timestep)];
}

at::Tensor PNDMScheduler::step(const at::Tensor& model_output, const at::Tensor& sample,
                               const StepOptions&) {
  const std::int64_t t = timesteps_.const_data_ptr<std::int64_t>()[index()];
  at::Tensor result = counter_ < runge_kutta_timesteps_.size()
                          ? runge_kutta_step(model_output, t, sample)
                          : multistep(model_output, t, sample);
  ++index_;
  ++counter_;
  return result;
}

at::Tensor PNDMScheduler::runge_kutta_step(const at::Tensor& model_output, std::int64_t timestep,
                                           const at::Tensor& sample) {
  const std::int64_t back = counter_ % 2 ? 0 : stride_ / 2;
  const auto start = static_cast<std::int64_t>(runge_kutta_timesteps_[counter_ / 4 * 4]);
  at::Tensor output = model_output;
  if (counter_ % 4 == 0) {
    sum_ = model_output * (1.0 / 6);
    outputs_.push_back(model_output);
    sample_ = sample;
  } else if (counter_ % 4 < 3) {
    sum_ = sum_ + model_output * (1.0 / 3);
  } else {
    output = sum_ + model_output * (1.0 / 6);
  }
  return previous(sample_, start, timestep - back, output);
}

// Adams-Bashforth of the order that the history allows; the first step is corrected by a second
// evaluation at its end.
at::Tensor PNDMScheduler::multistep(const at::Tensor& model_output, std::int64_t timestep,
                                    const at::Tensor& given) {
  std::int64_t prev_timestep = timestep - stride_;
  if (counter_ != 1) {
    if (outputs_.size() > 3) outputs_.erase(outputs_.begin());
    outputs_.push_back(model_output);
  } else {
    prev_timestep = timestep;
    timestep += stride_;
  }
  const std::size_t count = outputs_.size();
  const auto past = [&](std::size_t back) { return outputs_[count - back]; };
  at::Tensor output = model_output;
  at::Tensor sample = given;
  if (count == 1 && counter_ == 0) {
    sample_ = given;
  } else if (count == 1) {
    output = (model_output + past(1)) / 2;
    sample = sample_;
    sample_.reset();
  } else if (count == 2) {
    output = (past(1) * 3 - past(2)) / 2;
  } else if (count == 3) {
    output = (past(1) * 23 - past(2) * 16 + past(3) * 5) / 12;
  } else {
    output = (past(1) * 55 - past(2) * 59 + past(3) * 37 - past(4) * 9) * (1.0 / 24);
  }
  return previous(sample, timestep, prev_timestep, output);
}

// Formula (9) of the paper.
at::Tensor PNDMScheduler::previous(const at::Tensor& sample, std::int64_t timestep,
                                   std::int64_t prev_timestep,
                                   const at::Tensor& model_output) const {
  const float alpha = alpha_at(timestep);
  const float alpha_prev = alpha_at(prev_timestep);
  const float beta = 1 - alpha;
  const float beta_prev = 1 - alpha_prev;
  at::Tensor output = model_output;
  if (config_.prediction_type == "v_prediction") {
    output = model_output * std::sqrt(alpha) + sample * std::sqrt(beta);
  }
  const float denominator = alpha * std::sqrt(beta_prev) + std::sqrt(alpha * beta * alpha_prev);
  return sample * std::sqrt(alpha_prev / alpha) - output * (alpha_prev - alpha) / denominator;
}

at::Tensor PNDMScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                    const at::Tensor& timesteps) const {
  return add_noise_at(alphas_, original, noise, timesteps);
}

}  // namespace affiche::diffusion
