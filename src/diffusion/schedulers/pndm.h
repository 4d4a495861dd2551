// SPDX-License-Identifier: Apache-2.0
// Pseudo numerical methods (Liu et al., arXiv 2202.09778): diffusers' PNDMScheduler, the default of
// Stable Diffusion 1.x (with skip_prk_steps, which is PLMS).
#pragma once

#include "diffusion/schedulers/noise_schedule.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {

struct PNDMConfig {
  NoiseScheduleConfig noise;
  bool skip_prk_steps = false;
  bool set_alpha_to_one = false;
  std::string prediction_type = "epsilon";  // or "v_prediction"
  std::string timestep_spacing = "leading";
  std::int64_t steps_offset = 0;

  static PNDMConfig from_json(const nlohmann::ordered_json& json);
};

// Calls the model more often than n times: timesteps() holds every call.
class PNDMScheduler final : public Scheduler {
 public:
  explicit PNDMScheduler(const PNDMConfig& config);
  const char* class_name() const override { return "PNDMScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  at::Tensor runge_kutta_step(const at::Tensor& model_output, std::int64_t timestep,
                              const at::Tensor& sample);
  at::Tensor multistep(const at::Tensor& model_output, std::int64_t timestep,
                       const at::Tensor& sample);
  at::Tensor previous(const at::Tensor& sample, std::int64_t timestep, std::int64_t prev_timestep,
                      const at::Tensor& model_output) const;
  float alpha_at(std::int64_t timestep) const;

  PNDMConfig config_;
  at::Tensor alphas_;
  std::vector<float> alpha_;
  std::vector<double> runge_kutta_timesteps_;
  std::int64_t stride_ = 1;
  std::size_t counter_ = 0;  // steps done, wherever the run began
  std::vector<at::Tensor> outputs_;
  at::Tensor sum_;     // of the Runge-Kutta stages
  at::Tensor sample_;  // where the current group of stages began
};

}  // namespace affiche::diffusion
