// SPDX-License-Identifier: Apache-2.0
// DPM-Solver whose steps come in groups of the solver's order, each group from one sample, with
// intermediate model calls at the steps between: diffusers' DPMSolverSinglestepScheduler.
#pragma once

#include "diffusion/schedulers/dpm_solver.h"

namespace affiche::diffusion {

struct DPMSolverSinglestepConfig : DPMSolverConfig {
  static DPMSolverSinglestepConfig from_json(const nlohmann::ordered_json& json);
};

class DPMSolverSinglestepScheduler final : public DPMSolver {
 public:
  explicit DPMSolverSinglestepScheduler(const DPMSolverSinglestepConfig& config)
      : DPMSolver(config) {}
  const char* class_name() const override { return "DPMSolverSinglestepScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  Expansion expansion(std::size_t order) const;

  std::vector<std::size_t> orders_;  // of each step: 1 begins a group
  at::Tensor sample_;                // where the group began
};

}  // namespace affiche::diffusion
