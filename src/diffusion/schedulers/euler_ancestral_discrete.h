// SPDX-License-Identifier: Apache-2.0
// Euler's method that goes below the next level and adds noise up to it (k-diffusion's
// sample_euler_ancestral), diffusers' EulerAncestralDiscreteScheduler.
#pragma once

#include "diffusion/schedulers/sigma_space.h"

namespace affiche::diffusion {

struct EulerAncestralConfig : SigmaSpaceConfig {
  static EulerAncestralConfig from_json(const nlohmann::ordered_json& json);
};

class EulerAncestralDiscreteScheduler final : public SigmaSpaceScheduler {
 public:
  explicit EulerAncestralDiscreteScheduler(const EulerAncestralConfig& config)
      : SigmaSpaceScheduler(config) {}
  const char* class_name() const override { return "EulerAncestralDiscreteScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
};

}  // namespace affiche::diffusion
