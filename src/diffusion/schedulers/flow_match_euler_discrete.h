// SPDX-License-Identifier: Apache-2.0
// Euler's method along the flow from noise to pictures: diffusers' FlowMatchEulerDiscreteScheduler,
// the one of SD3 and Flux.
#pragma once

#include "diffusion/schedulers/flow_match.h"

namespace affiche::diffusion {

struct FlowMatchEulerConfig {
  std::int64_t num_train_timesteps = 1000;
  double shift = 1;
  bool use_dynamic_shifting = false;
  std::string time_shift_type = "exponential";  // or "linear"
  std::optional<double> shift_terminal;
  SigmaSpacing spacing = SigmaSpacing::AsTimesteps;
  bool invert_sigmas = false;        // from pictures to noise
  bool stochastic_sampling = false;  // fresh noise in every step

  static FlowMatchEulerConfig from_json(const nlohmann::ordered_json& json);
};

class FlowMatchEulerDiscreteScheduler final : public Scheduler {
 public:
  explicit FlowMatchEulerDiscreteScheduler(const FlowMatchEulerConfig& config) : config_(config) {}
  const char* class_name() const override { return "FlowMatchEulerDiscreteScheduler"; }
  at::Tensor sigmas() const override { return sigmas_; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  FlowMatchEulerConfig config_;
  at::Tensor sigmas_;
  std::vector<float> sigma_;
};

}  // namespace affiche::diffusion
