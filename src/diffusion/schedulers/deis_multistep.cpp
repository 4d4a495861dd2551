// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/deis_multistep.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"

namespace affiche::diffusion {
namespace {

// Below this number of steps the last ones are taken at lower order.
constexpr std::size_t kFewSteps = 15;

// Antiderivatives over rho of the Lagrange polynomials in log(rho) that are 1 at b and 0 at c (and
// d): formula (15) of the paper with t = log(rho), integrated in closed form. In float32, whose
// cancellation the reference shares.
float antiderivative(float rho, float b, float c) {
  return rho * (-std::log(c) + std::log(rho) - 1) / (std::log(b) - std::log(c));
}

float antiderivative(float rho, float b, float c, float d) {
  const float log = std::log(rho);
  const float log_b = std::log(b);
  const float log_c = std::log(c);
  const float log_d = std::log(d);
  const float numerator =
      rho * (log_c * (log_d - log + 1) - log_d * log + log_d + log * log - 2 * log + 2);
  return numerator / ((log_b - log_c) * (log_b - log_d));
}

}  // namespace

DEISConfig DEISConfig::from_json(const Json& json) {
  ConfigReader reader(json, "DEISMultistepScheduler config");
  DEISConfig c;
  static_cast<SolverConfig&>(c) = read_solver(reader, json);
  c.noise.rescale_betas_zero_snr = false;  // not an option of this class
  // Names of other multistep classes stand for the only one here, as in diffusers.
  choice(reader, "algorithm_type", "deis", {"deis", "dpmsolver", "dpmsolver++"});
  choice(reader, "solver_type", "logrho", {"logrho", "midpoint", "heun", "bh1", "bh2"});
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void DEISMultistepScheduler::plan(std::int64_t n, const RunOptions& options) {
  check_step_count(class_name(), n, solver_.noise.num_train_timesteps);
  // The run ends at the smallest level: log(rho) cannot reach 0.
  if (solver_.spacing != SigmaSpacing::AsTimesteps) {
    const Run run = respaced_run(n, solver_.spacing == SigmaSpacing::Karras);
    start(run, run.levels.back());
  } else if (solver_.use_flow_sigmas) {
    const Run run = flow_run(n, options);
    start(run, run.levels.back());
  } else {
    start(spaced_run(n, solver_.noise.num_train_timesteps), table_.first());
  }
}

at::Tensor DEISMultistepScheduler::step(const at::Tensor& model_output, const at::Tensor& sample,
                                        const StepOptions&) {
  const std::size_t left = step_count() - index();
  const bool few = solver_.lower_order_final && step_count() < kFewSteps;
  const Level now = level(index());
  const at::Tensor original = predicted_original(model_output, sample);
  remember((sample - original * now.alpha) / now.sigma);
  std::size_t order = outputs_.size();
  if (few) order = std::min(order, left);
  const at::Tensor result = update(sample, order);
  ++index_;
  return result;
}

at::Tensor DEISMultistepScheduler::update(const at::Tensor& sample, std::size_t order) const {
  const Level to = level(index() + 1);
  const Level from = level(index());
  if (order == 1) {
    const float h = to.lambda - from.lambda;
    return sample * (to.alpha / from.alpha) - outputs_[0] * (to.sigma * (exp_of(h) - 1));
  }
  const auto rho = [this](std::size_t place) {
    const Level one = level(place);
    return one.sigma / one.alpha;
  };
  const float t = rho(index() + 1);
  const float s0 = rho(index());
  const float s1 = rho(index() - 1);
  if (order == 2) {
    const float first = antiderivative(t, s0, s1) - antiderivative(s0, s0, s1);
    const float second = antiderivative(t, s1, s0) - antiderivative(s0, s1, s0);
    return (sample / from.alpha + outputs_[0] * first + outputs_[1] * second) * to.alpha;
  }
  const float s2 = rho(index() - 2);
  const float first = antiderivative(t, s0, s1, s2) - antiderivative(s0, s0, s1, s2);
  const float second = antiderivative(t, s1, s2, s0) - antiderivative(s0, s1, s2, s0);
  const float third = antiderivative(t, s2, s0, s1) - antiderivative(s0, s2, s0, s1);
  return (sample / from.alpha + outputs_[0] * first + outputs_[1] * second + outputs_[2] * third) *
         to.alpha;
}

}  // namespace affiche::diffusion
