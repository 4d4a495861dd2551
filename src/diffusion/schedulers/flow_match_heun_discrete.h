// SPDX-License-Identifier: Apache-2.0
// Heun's second-order method along the flow from noise to pictures: diffusers'
// FlowMatchHeunDiscreteScheduler.
#pragma once

#include "diffusion/schedulers/flow_match.h"

namespace affiche::diffusion {

struct FlowMatchHeunConfig {
  std::int64_t num_train_timesteps = 1000;
  double shift = 1;

  static FlowMatchHeunConfig from_json(const nlohmann::ordered_json& json);
};

// Asks the model at both ends of a step; the last step, to level 0, is Euler's.
class FlowMatchHeunDiscreteScheduler final : public Scheduler {
 public:
  explicit FlowMatchHeunDiscreteScheduler(const FlowMatchHeunConfig& config) : config_(config) {}
  const char* class_name() const override { return "FlowMatchHeunDiscreteScheduler"; }
  std::size_t order() const override { return 2; }
  at::Tensor sigmas() const override { return sigmas_; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;
  // One time step for the whole batch, as in diffusers: the first one.
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  FlowMatchHeunConfig config_;
  at::Tensor sigmas_;
  std::vector<float> sigma_;
  at::Tensor sample_;  // where the step began; undefined before its first half
  at::Tensor derivative_;
  float length_ = 0;
};

}  // namespace affiche::diffusion
