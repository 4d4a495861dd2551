// SPDX-License-Identifier: Apache-2.0
// k-diffusion's sample_dpm_2_ancestral: the midpoint method in log(sigma) to below the next level,
// then noise up to it; diffusers' KDPM2AncestralDiscreteScheduler.
#pragma once

#include "diffusion/schedulers/kdpm2_discrete.h"

namespace affiche::diffusion {

struct KDPM2AncestralConfig : KDPM2Config {
  static KDPM2AncestralConfig from_json(const nlohmann::ordered_json& json);
};

class KDPM2AncestralDiscreteScheduler final : public SigmaSpaceScheduler {
 public:
  explicit KDPM2AncestralDiscreteScheduler(const KDPM2AncestralConfig& config)
      : SigmaSpaceScheduler(config) {}
  const char* class_name() const override { return "KDPM2AncestralDiscreteScheduler"; }
  std::size_t order() const override { return 2; }
  at::Tensor scale_model_input(const at::Tensor& sample) const override;
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  std::vector<float> between_;  // per step: the level halfway to the one that it goes down to
  at::Tensor sample_;           // where the step began; undefined before its first half
};

}  // namespace affiche::diffusion
