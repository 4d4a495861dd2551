// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/dpm_solver_singlestep.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {
namespace {

// Groups of 1 … order; with `lower_final` no whole group stands at the end.
std::vector<std::size_t> step_orders(std::size_t steps, std::size_t order, bool lower_final) {
  std::vector<std::size_t> orders;
  for (std::size_t i = 0; i < steps; ++i) orders.push_back(i % order + 1);
  if (lower_final && orders.back() == order) orders.back() = 1;
  return orders;
}

}  // namespace

DPMSolverSinglestepConfig DPMSolverSinglestepConfig::from_json(const Json& json) {
  ConfigReader reader(json, "DPMSolverSinglestepScheduler config");
  DPMSolverSinglestepConfig c;
  static_cast<DPMSolverConfig&>(c) =
      read_dpm_solver(reader, json, {"dpmsolver", "dpmsolver++", "sde-dpmsolver++", "deis"});
  c.lower_order_final = reader.flag("lower_order_final", false);
  c.noise.rescale_betas_zero_snr = false;  // not options of this class
  c.timestep_spacing = "linspace";
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void DPMSolverSinglestepScheduler::plan(std::int64_t n, const RunOptions& options) {
  check_step_count(class_name(), n, last_timestep_);
  Run run;
  if (config_.spacing != SigmaSpacing::AsTimesteps) {
    run = respaced_run(n, config_.spacing == SigmaSpacing::Karras);
  } else if (config_.use_flow_sigmas) {
    run = flow_run(n, options);
  } else {
    run = spaced_run(n, last_timestep_);
  }
  start(run, config_.final_sigma_zero ? 0 : table_.first());
  sample_.reset();
  // Steps that do not fill whole groups need the lower orders too.
  const bool lower_final =
      config_.lower_order_final || n % config_.solver_order != 0 || config_.final_sigma_zero;
  orders_ = step_orders(static_cast<std::size_t>(n), static_cast<std::size_t>(config_.solver_order),
                        lower_final);
  if (config_.final_sigma_zero) orders_.back() = 1;
}

at::Tensor DPMSolverSinglestepScheduler::step(const at::Tensor& model_output,
                                              const at::Tensor& sample,
                                              const StepOptions& options) {
  remember(converted(model_output, sample));
  at::Tensor noise;
  if (config_.stochastic) {
    noise = randn(model_output.sizes(), options.generators, model_output.scalar_type(),
                  model_output.device());
  }
  const std::size_t order = std::min(orders_[index()], outputs_.size());
  if (order == 1) sample_ = sample;
  const at::Tensor result =
      integrate(sample_, level(index() + 1 - order), level(index() + 1), expansion(order), noise);
  ++index_;
  return result;
}

// Differences to the prediction at the group's beginning, over their distances in units of the way
// from there to the end of this step.
DPMSolver::Expansion DPMSolverSinglestepScheduler::expansion(std::size_t order) const {
  Expansion result;
  result.value = outputs_[order - 1];
  if (order == 1) return result;
  const float start = level(index() + 1 - order).lambda;
  const float h = level(index() + 1).lambda - start;
  const float r0 = (level(index()).lambda - start) / h;
  result.first = (outputs_[0] - outputs_[order - 1]) * (1 / r0);
  result.midpoint = order == 2 && !config_.heun;
  if (order == 2 || !config_.heun) return result;
  const float r1 = (level(index() - 1).lambda - start) / h;
  const at::Tensor older = (outputs_[1] - outputs_[2]) * (1 / r1);
  const at::Tensor newer = result.first;
  result.first = (older * r0 - newer * r1) / (r0 - r1);
  result.second = (newer - older) * 2 / (r0 - r1);
  return result;
}

}  // namespace affiche::diffusion
