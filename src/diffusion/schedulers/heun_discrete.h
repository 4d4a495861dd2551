// SPDX-License-Identifier: Apache-2.0
// Heun's second-order method in sigma space (Karras et al., arXiv 2206.00364, algorithm 1),
// diffusers' HeunDiscreteScheduler.
#pragma once

#include "diffusion/schedulers/sigma_space.h"

namespace affiche::diffusion {

struct HeunConfig : SigmaSpaceConfig {
  ClipConfig clip;
  static HeunConfig from_json(const nlohmann::ordered_json& json);
};

// Asks the model at both ends of a step; the last step, to level 0, is Euler's.
class HeunDiscreteScheduler final : public SigmaSpaceScheduler {
 public:
  explicit HeunDiscreteScheduler(const HeunConfig& config)
      : SigmaSpaceScheduler(config), clip_(config.clip) {}
  const char* class_name() const override { return "HeunDiscreteScheduler"; }
  std::size_t order() const override { return 2; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  ClipConfig clip_;
  at::Tensor sample_;  // where the step began; undefined before its first half
  at::Tensor derivative_;
};

}  // namespace affiche::diffusion
