// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/dpm_solver.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/json.h"

namespace affiche::diffusion {
namespace {

// -Infinity, which Python writes as a bare word and parse_json() turns into a string.
double read_lambda_min(ConfigReader& reader, const Json& json) {
  const auto found = json.find("lambda_min_clipped");
  if (found != json.end() && found->is_string() && *found == "-Infinity") {
    reader.ignore({"lambda_min_clipped"});
    return -std::numeric_limits<double>::infinity();
  }
  return reader.number("lambda_min_clipped", -std::numeric_limits<double>::infinity());
}

}  // namespace

DPMSolverConfig read_dpm_solver(ConfigReader& reader, const Json& json,
                                const std::vector<std::string_view>& algorithms) {
  DPMSolverConfig c;
  static_cast<SolverConfig&>(c) = read_solver(reader, json);
  // Names of other multistep classes stand for the nearest one here, as in diffusers.
  const std::string algorithm = choice(reader, "algorithm_type", "dpmsolver++", algorithms);
  c.plus_plus = algorithm.ends_with("++") || algorithm == "deis";
  c.stochastic = algorithm.starts_with("sde-");
  c.heun = choice(reader, "solver_type", "midpoint",
                  {"midpoint", "heun", "logrho", "bh1", "bh2"}) == "heun";
  c.final_sigma_zero = read_final_sigma_zero(reader);
  c.lambda_min_clipped = read_lambda_min(reader, json);
  reader.only("variance_type");
  if (!c.plus_plus && c.final_sigma_zero) {
    reader.refuse("algorithm_type", "expected final_sigmas_type sigma_min with this algorithm");
  }
  if (!c.plus_plus && c.prediction_type == "flow_prediction") {
    reader.refuse("algorithm_type", "expected dpmsolver++ with flow_prediction");
  }
  return c;
}

DPMSolver::DPMSolver(const DPMSolverConfig& config) : ExponentialSolver(config), config_(config) {
  // Steps whose lambda = -log(sigma) is below the limit are left out at the noisy end.
  std::int64_t clipped = 0;
  for (auto log = table_.logs.rbegin(); log != table_.logs.rend(); ++log) {
    if (-static_cast<double>(*log) >= config.lambda_min_clipped) break;
    ++clipped;
  }
  last_timestep_ = config.noise.num_train_timesteps - clipped;
}

at::Tensor DPMSolver::integrate(const at::Tensor& sample, const Level& from, const Level& to,
                                const Expansion& expansion, const at::Tensor& noise) const {
  if (!config_.plus_plus) {
    const at::Tensor result = over_noise(sample, from, to, expansion);
    if (!config_.stochastic) return result;
    const float h = to.lambda - from.lambda;
    return result + noise * (to.sigma * std::sqrt(exp_of(2 * h) - 1));
  }
  if (!config_.stochastic) return deterministic(sample, from, to, expansion);
  const float h = to.lambda - from.lambda;
  return stochastic(sample, from, to, expansion) +
         noise * (to.sigma * std::sqrt(1 - exp_of(-2 * h)));
}

// DPM-Solver++: arXiv 2211.01095, section 4 and appendix A.
at::Tensor DPMSolver::deterministic(const at::Tensor& sample, const Level& from, const Level& to,
                                    const Expansion& d) const {
  const float h = to.lambda - from.lambda;
  const float down = exp_of(-h) - 1;
  at::Tensor result = sample * (to.sigma / from.sigma) - d.value * (to.alpha * down);
  if (d.first.defined()) {
    result = d.midpoint ? result - d.first * (0.5f * (to.alpha * down))
                        : result + d.first * (to.alpha * (down / h + 1));
  }
  if (d.second.defined()) {
    result = result - d.second * (to.alpha * ((down + h) / (h * h) - 0.5f));
  }
  return result;
}

// SDE-DPM-Solver++: the same, section 5.
at::Tensor DPMSolver::stochastic(const at::Tensor& sample, const Level& from, const Level& to,
                                 const Expansion& d) const {
  const float h = to.lambda - from.lambda;
  const float up = 1 - exp_of(-2 * h);
  at::Tensor result = sample * (to.sigma / from.sigma * exp_of(-h)) + d.value * (to.alpha * up);
  if (d.first.defined()) {
    result = d.midpoint ? result + d.first * (0.5f * (to.alpha * up))
                        : result + d.first * (to.alpha * (up / (-2 * h) + 1));
  }
  if (d.second.defined()) {
    result = result + d.second * (to.alpha * ((up - 2 * h) / (4 * h * h) - 0.5f));
  }
  return result;
}

// DPM-Solver (arXiv 2206.00927, algorithms 1 and 2) and, with twice the prediction, its stochastic
// form.
at::Tensor DPMSolver::over_noise(const at::Tensor& sample, const Level& from, const Level& to,
                                 const Expansion& d) const {
  const float h = to.lambda - from.lambda;
  const float up = exp_of(h) - 1;
  const float twice = config_.stochastic ? 2 : 1;
  at::Tensor result = sample * (to.alpha / from.alpha) - d.value * (twice * (to.sigma * up));
  if (d.first.defined()) {
    result = d.midpoint ? result - d.first * (0.5f * twice * (to.sigma * up))
                        : result - d.first * (twice * (to.sigma * (up / h - 1)));
  }
  if (d.second.defined()) {
    result = result - d.second * (to.sigma * ((up - h) / (h * h) - 0.5f));
  }
  return result;
}

}  // namespace affiche::diffusion
