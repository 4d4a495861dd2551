// SPDX-License-Identifier: Apache-2.0
// k-diffusion's sample_dpm_2, inspired by DPM-Solver-2 and algorithm 2 of Karras et al. (arXiv
// 2206.00364): the midpoint method in log(sigma), diffusers' KDPM2DiscreteScheduler.
#pragma once

#include "diffusion/schedulers/sigma_space.h"

namespace affiche::diffusion {

struct KDPM2Config : SigmaSpaceConfig {
  // `class_name`: the class that the config belongs to, for errors.
  static KDPM2Config read(const nlohmann::ordered_json& json, const std::string& class_name);
  static KDPM2Config from_json(const nlohmann::ordered_json& json);
};

class KDPM2DiscreteScheduler final : public SigmaSpaceScheduler {
 public:
  explicit KDPM2DiscreteScheduler(const KDPM2Config& config) : SigmaSpaceScheduler(config) {}
  const char* class_name() const override { return "KDPM2DiscreteScheduler"; }
  std::size_t order() const override { return 2; }
  at::Tensor scale_model_input(const at::Tensor& sample) const override;
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  std::vector<float> between_;  // per step: the level halfway to the next one
  at::Tensor sample_;           // where the step began; undefined before its first half
};

// The run's time steps with the halfway ones between them: float64 where the levels were respaced,
// float32 otherwise.
at::Tensor with_halfway_timesteps(const std::vector<double>& timesteps,
                                  const std::vector<double>& halfway, SigmaSpacing spacing);

}  // namespace affiche::diffusion
