// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/exponential_solver.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace affiche::diffusion {

SolverConfig read_solver(ConfigReader& reader, const Json& json) {
  SolverConfig c;
  c.noise = read_noise_schedule(reader, json);
  c.solver_order = reader.integer("solver_order", c.solver_order);
  if (c.solver_order > 3) reader.refuse("solver_order", "expected 1, 2 or 3");
  c.prediction_type = choice(reader, "prediction_type", c.prediction_type,
                             {"epsilon", "sample", "v_prediction", "flow_prediction"});
  c.clip = read_clip(reader, false);
  c.clip.clip_sample = false;  // not an option of these classes
  c.spacing = read_sigma_spacing(reader);
  c.use_flow_sigmas = reader.flag("use_flow_sigmas", c.use_flow_sigmas);
  c.flow_shift = reader.number("flow_shift", c.flow_shift);
  if (!(c.flow_shift > 0)) reader.refuse("flow_shift", "expected a number above 0");
  c.use_dynamic_shifting = reader.flag("use_dynamic_shifting", c.use_dynamic_shifting);
  c.time_shift_type =
      choice(reader, "time_shift_type", c.time_shift_type, {"exponential", "linear"});
  c.timestep_spacing =
      choice(reader, "timestep_spacing", c.timestep_spacing, {"linspace", "leading", "trailing"});
  c.steps_offset = reader.any_integer("steps_offset", c.steps_offset);
  c.lower_order_final = reader.flag("lower_order_final", c.lower_order_final);
  return c;
}

ExponentialSolver::ExponentialSolver(const SolverConfig& config)
    : solver_(config), table_(alphas_cumprod(config.noise), config.noise.rescale_betas_zero_snr) {}

ExponentialSolver::Run ExponentialSolver::spaced_run(std::int64_t n, std::int64_t usable) const {
  Run run;
  std::vector<double>& steps = run.timesteps;
  if (solver_.timestep_spacing == "trailing") {
    const auto total = static_cast<double>(solver_.noise.num_train_timesteps);
    for (const double t :
         arange_down(static_cast<double>(usable), total / static_cast<double>(n))) {
      steps.push_back(std::nearbyint(t) - 1);
    }
  } else if (solver_.timestep_spacing == "leading") {
    const std::int64_t stride = usable / (n + 1);
    for (std::int64_t i = n; i >= 1; --i) {
      steps.push_back(static_cast<double>(i * stride + solver_.steps_offset));
    }
  } else {
    for (const double t : linspace(0, static_cast<double>(usable - 1), n + 1)) {
      steps.push_back(std::nearbyint(t));
    }
    std::reverse(steps.begin(), steps.end());
    steps.pop_back();
  }
  run.levels = table_.at_timesteps(steps);
  return run;
}

ExponentialSolver::Run ExponentialSolver::respaced_run(std::int64_t n, bool rounded) const {
  Run run;
  run.levels = respace(solver_.spacing, table_.first(), table_.last(), n);
  run.timesteps = table_.to_timesteps(run.levels);
  if (rounded) {
    for (double& t : run.timesteps) t = std::nearbyint(t);
  }
  return run;
}

ExponentialSolver::Run ExponentialSolver::flow_run(std::int64_t n,
                                                   const RunOptions& options) const {
  double shift = solver_.flow_shift;
  if (options.mu) {
    if (!solver_.use_dynamic_shifting || solver_.time_shift_type != "exponential") {
      fail(Cause::Usage, class_name(),
           ": mu: expected use_dynamic_shifting and the time_shift_type exponential");
    }
    shift = std::exp(*options.mu);
  }
  const auto total = static_cast<double>(solver_.noise.num_train_timesteps);
  Run run;
  for (const double alpha : linspace(1, 1 / total, n + 1)) {
    const double sigma = 1 - alpha;
    run.levels.push_back(shift * sigma / (1 + (shift - 1) * sigma));
  }
  std::reverse(run.levels.begin(), run.levels.end());
  run.levels.pop_back();
  for (const double level : run.levels) run.timesteps.push_back(level * total);
  return run;
}

void ExponentialSolver::start(const Run& run, double final_sigma) {
  sigmas_ = sigma_tensor(run.levels, final_sigma);
  sigma_ = to_floats(sigmas_);
  begin(int64_tensor(run.timesteps));
  outputs_.clear();
}

ExponentialSolver::Level ExponentialSolver::level(std::size_t place) const {
  const float sigma = sigma_[place];
  float alpha = 1 - sigma;
  float own_sigma = sigma;
  if (!solver_.use_flow_sigmas) {
    alpha = 1 / std::sqrt(sigma * sigma + 1);
    own_sigma = sigma * alpha;
  }
  return {alpha, own_sigma, log_of(alpha) - log_of(own_sigma)};
}

at::Tensor ExponentialSolver::predicted_original(const at::Tensor& model_output,
                                                 const at::Tensor& sample) const {
  const Level now = level(index());
  at::Tensor original = model_output;
  if (solver_.prediction_type == "epsilon") {
    original = (sample - model_output * now.sigma) / now.alpha;
  } else if (solver_.prediction_type == "v_prediction") {
    original = sample * now.alpha - model_output * now.sigma;
  } else if (solver_.prediction_type == "flow_prediction") {
    original = sample - model_output * sigma_[index()];
  }
  return solver_.clip.apply(original);
}

at::Tensor ExponentialSolver::predicted_noise(const at::Tensor& model_output,
                                              const at::Tensor& sample) const {
  const Level now = level(index());
  at::Tensor epsilon = model_output;
  if (solver_.prediction_type == "sample") {
    epsilon = (sample - model_output * now.alpha) / now.sigma;
  } else if (solver_.prediction_type == "v_prediction") {
    epsilon = model_output * now.alpha + sample * now.sigma;
  }
  if (!solver_.clip.thresholding) return epsilon;
  const at::Tensor original = solver_.clip.apply((sample - epsilon * now.sigma) / now.alpha);
  return (sample - original * now.alpha) / now.sigma;
}

void ExponentialSolver::remember(const at::Tensor& prediction) {
  outputs_.push_front(prediction);
  if (outputs_.size() > static_cast<std::size_t>(solver_.solver_order)) outputs_.pop_back();
}

at::Tensor ExponentialSolver::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                        const at::Tensor& timesteps) const {
  std::vector<double> alphas, sigmas;
  for (const std::size_t place : places_of(timesteps)) {
    const Level one = level(place);
    alphas.push_back(one.alpha);
    sigmas.push_back(one.sigma);
  }
  return original * per_image(alphas, original) + noise * per_image(sigmas, original);
}

}  // namespace affiche::diffusion
