// SPDX-License-Identifier: Apache-2.0
// Diffusion exponential integrator sampler (Zhang and Chen, arXiv 2204.13902), multistep in
// log(rho): diffusers' DEISMultistepScheduler.
#pragma once

#include "diffusion/schedulers/exponential_solver.h"

namespace affiche::diffusion {

struct DEISConfig : SolverConfig {
  static DEISConfig from_json(const nlohmann::ordered_json& json);
};

class DEISMultistepScheduler final : public ExponentialSolver {
 public:
  explicit DEISMultistepScheduler(const DEISConfig& config) : ExponentialSolver(config) {}
  const char* class_name() const override { return "DEISMultistepScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  at::Tensor update(const at::Tensor& sample, std::size_t order) const;
};

}  // namespace affiche::diffusion
