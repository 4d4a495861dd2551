// SPDX-License-Identifier: Apache-2.0
// Denoising diffusion implicit models (Song et al., arXiv 2010.02502), diffusers' DDIMScheduler.
#pragma once

#include "diffusion/schedulers/noise_schedule.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {

struct DDIMConfig {
  NoiseScheduleConfig noise;
  std::string prediction_type = "epsilon";  // or "sample", "v_prediction"
  std::string timestep_spacing = "leading";
  std::int64_t steps_offset = 0;
  ClipConfig clip;
  bool set_alpha_to_one = true;

  static DDIMConfig from_json(const nlohmann::ordered_json& json);
};

class DDIMScheduler final : public Scheduler {
 public:
  explicit DDIMScheduler(const DDIMConfig& config);
  const char* class_name() const override { return "DDIMScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  float alpha_at(std::int64_t timestep) const;
  DDIMConfig config_;
  at::Tensor alphas_;
  std::vector<float> alpha_;
  std::int64_t stride_ = 1;  // training steps per step of the run
};

}  // namespace affiche::diffusion
