// SPDX-License-Identifier: Apache-2.0
// Denoising diffusion probabilistic models (Ho et al., arXiv 2006.11239), diffusers' DDPMScheduler.
#pragma once

#include "diffusion/schedulers/noise_schedule.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {

struct DDPMConfig {
  NoiseScheduleConfig noise;
  std::string prediction_type = "epsilon";  // or "sample", "v_prediction"
  // Or "fixed_small_log", "fixed_large", and "learned", "learned_range" for models whose output has
  // the variance as its second half.
  std::string variance_type = "fixed_small";
  std::string timestep_spacing = "leading";
  std::int64_t steps_offset = 0;
  ClipConfig clip;

  static DDPMConfig from_json(const nlohmann::ordered_json& json);
};

class DDPMScheduler final : public Scheduler {
 public:
  explicit DDPMScheduler(const DDPMConfig& config);
  const char* class_name() const override { return "DDPMScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  // What unit noise is multiplied with; `predicted`: the model's part of it, or undefined.
  at::Tensor scaled_noise(const at::Tensor& noise, const at::Tensor& predicted, float alpha_bar,
                          float alpha_bar_prev) const;

  DDPMConfig config_;
  at::Tensor alphas_;
  std::vector<float> alpha_;
};

}  // namespace affiche::diffusion
