// SPDX-License-Identifier: Apache-2.0
// Euler's method in sigma space (Karras et al., arXiv 2206.00364, algorithm 2), diffusers'
// EulerDiscreteScheduler, and its ancestral variant (k-diffusion).
#pragma once

#include <optional>

#include "diffusion/schedulers/scheduler.h"
#include "diffusion/schedulers/sigmas.h"

namespace affiche::diffusion {

struct EulerConfig {
  NoiseScheduleConfig noise;
  std::string prediction_type = "epsilon";  // or "sample", "v_prediction"
  std::string interpolation_type = "linear";
  std::string timestep_spacing = "linspace";
  std::string timestep_type = "discrete";
  std::int64_t steps_offset = 0;
  SigmaSpacing spacing = SigmaSpacing::AsTimesteps;
  std::optional<double> sigma_min, sigma_max;  // ends of the respaced levels
  bool final_sigma_zero = true;

  static EulerConfig from_json(const nlohmann::ordered_json& json);
  // The ancestral class has fewer options.
  static EulerConfig ancestral_from_json(const nlohmann::ordered_json& json);
};

class EulerDiscreteScheduler : public Scheduler {
 public:
  explicit EulerDiscreteScheduler(const EulerConfig& config);
  const char* class_name() const override { return "EulerDiscreteScheduler"; }
  void set_timesteps(std::int64_t n) override;
  at::Tensor sigmas() const override { return sigmas_; }
  double init_noise_sigma() const override;
  at::Tensor scale_model_input(const at::Tensor& sample) const override;
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 protected:
  // What the prediction says of the noiseless sample at level sigma.
  at::Tensor original_at(const at::Tensor& model_output, const at::Tensor& sample, float sigma,
                         float sigma_hat) const;
  EulerConfig config_;
  SigmaTable table_;
  at::Tensor sigmas_;
  std::vector<float> sigma_;
};

class EulerAncestralDiscreteScheduler final : public EulerDiscreteScheduler {
 public:
  using EulerDiscreteScheduler::EulerDiscreteScheduler;
  const char* class_name() const override { return "EulerAncestralDiscreteScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;
};

}  // namespace affiche::diffusion
