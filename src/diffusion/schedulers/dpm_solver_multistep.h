// SPDX-License-Identifier: Apache-2.0
// DPM-Solver that builds on the predictions of earlier steps: diffusers'
// DPMSolverMultistepScheduler. "DPM++ 2M" is its default.
#pragma once

#include "diffusion/schedulers/dpm_solver.h"

namespace affiche::diffusion {

struct DPMSolverMultistepConfig : DPMSolverConfig {
  static DPMSolverMultistepConfig from_json(const nlohmann::ordered_json& json);
};

class DPMSolverMultistepScheduler final : public DPMSolver {
 public:
  explicit DPMSolverMultistepScheduler(const DPMSolverMultistepConfig& config)
      : DPMSolver(config) {}
  const char* class_name() const override { return "DPMSolverMultistepScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  Expansion expansion(std::size_t order) const;
};

}  // namespace affiche::diffusion
