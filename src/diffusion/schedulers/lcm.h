// SPDX-License-Identifier: Apache-2.0
// Latent consistency models (Luo et al., arXiv 2310.04378), diffusers' LCMScheduler.
#pragma once

#include "diffusion/schedulers/consistency.h"

namespace affiche::diffusion {

struct LCMConfig : ConsistencyConfig {
  ClipConfig clip;
  double timestep_scaling = 10;

  static LCMConfig from_json(const nlohmann::ordered_json& json);
};

class LCMScheduler final : public ConsistencyScheduler {
 public:
  explicit LCMScheduler(const LCMConfig& config) : ConsistencyScheduler(config), config_(config) {}
  const char* class_name() const override { return "LCMScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override {
    take_some(distilled_steps(options), n);
  }
  LCMConfig config_;
};

}  // namespace affiche::diffusion
