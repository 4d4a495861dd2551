// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/dpm_solver_multistep.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {
namespace {

// Below this number of steps the last ones are taken at lower order.
constexpr std::size_t kFewSteps = 15;

}  // namespace

DPMSolverMultistepConfig DPMSolverMultistepConfig::from_json(const Json& json) {
  ConfigReader reader(json, "DPMSolverMultistepScheduler config");
  DPMSolverMultistepConfig c;
  static_cast<DPMSolverConfig&>(c) = read_dpm_solver(
      reader, json, {"dpmsolver", "dpmsolver++", "sde-dpmsolver", "sde-dpmsolver++", "deis"});
  if (!c.plus_plus && c.stochastic && c.solver_order == 3) {
    reader.refuse("solver_order", "expected 1 or 2 with the algorithm sde-dpmsolver");
  }
  c.euler_at_final = reader.flag("euler_at_final", c.euler_at_final);
  c.use_lu_lambdas = reader.flag("use_lu_lambdas", c.use_lu_lambdas);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void DPMSolverMultistepScheduler::plan(std::int64_t n, const RunOptions& options) {
  check_step_count(class_name(), n, last_timestep_);
  const bool whole = config_.noise.beta_schedule != "squaredcos_cap_v2";
  const double final_sigma = config_.final_sigma_zero ? 0 : table_.first();
  Run run;
  if (config_.use_lu_lambdas && config_.spacing != SigmaSpacing::Karras) {
    // Evenly spaced in lambda (arXiv 2206.00927, appendix D).
    for (const double log : linspace(table_.logs.back(), table_.logs.front(), n)) {
      run.levels.push_back(std::exp(log));
    }
    run.timesteps = table_.to_timesteps(run.levels);
    if (whole) {
      for (double& t : run.timesteps) t = std::nearbyint(t);
    }
  } else if (config_.spacing != SigmaSpacing::AsTimesteps) {
    run = respaced_run(n, whole && config_.spacing == SigmaSpacing::Karras);
  } else if (config_.use_flow_sigmas) {
    run = flow_run(n, options);
  } else {
    run = spaced_run(n, last_timestep_);
  }
  start(run, final_sigma);
}

at::Tensor DPMSolverMultistepScheduler::step(const at::Tensor& model_output,
                                             const at::Tensor& given, const StepOptions& options) {
  const std::size_t left = step_count() - index();  // this step is the last one of so many
  const bool few = config_.lower_order_final && step_count() < kFewSteps;
  remember(converted(model_output, given));
  std::size_t order = outputs_.size();
  if (left == 1 && (config_.euler_at_final || few || config_.final_sigma_zero)) order = 1;
  if (left == 2 && few) order = std::min<std::size_t>(order, 2);

  at::Tensor noise;
  if (config_.stochastic) {
    noise = randn(model_output.sizes(), options.generators, at::kFloat, model_output.device());
  }
  const at::Tensor result =
      integrate(given.to(at::kFloat), level(index()), level(index() + 1), expansion(order), noise);
  ++index_;
  return result.to(model_output.scalar_type());
}

// Differences to the predictions of earlier steps, over their distances in units of this step.
DPMSolver::Expansion DPMSolverMultistepScheduler::expansion(std::size_t order) const {
  Expansion result;
  result.value = outputs_[0];
  if (order == 1) return result;
  const float now = level(index()).lambda;
  const float before = level(index() - 1).lambda;
  const float h = level(index() + 1).lambda - now;
  const float r0 = (now - before) / h;
  result.first = (outputs_[0] - outputs_[1]) * (1 / r0);
  result.midpoint = order == 2 && !config_.heun;
  if (order == 2) return result;
  const float r1 = (before - level(index() - 2).lambda) / h;
  const at::Tensor older = (outputs_[1] - outputs_[2]) * (1 / r1);
  const at::Tensor change = result.first - older;
  result.first = result.first + change * (r0 / (r0 + r1));
  result.second = change * (1 / (r0 + r1));
  return result;
}

}  // namespace affiche::diffusion
