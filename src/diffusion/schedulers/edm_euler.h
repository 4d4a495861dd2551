// SPDX-License-Identifier: Apache-2.0
// Euler's method with the preconditioning of Karras et al. (arXiv 2206.00364, table 1 and
// algorithm 2), diffusers' EDMEulerScheduler: for models such as Playground v2.5.
#pragma once

#include "diffusion/schedulers/scheduler.h"
#include "diffusion/schedulers/sigmas.h"

namespace affiche::diffusion {

struct EDMEulerConfig {
  double sigma_min = 0.002;
  double sigma_max = 80;
  double sigma_data = 0.5;
  bool exponential = false;  // sigma_schedule; otherwise karras
  double rho = 7;
  std::int64_t num_train_timesteps = 1000;
  std::string prediction_type = "epsilon";  // or "v_prediction"
  bool final_sigma_zero = true;

  static EDMEulerConfig from_json(const nlohmann::ordered_json& json);
};

class EDMEulerScheduler final : public Scheduler {
 public:
  explicit EDMEulerScheduler(const EDMEulerConfig& config) : config_(config) {}
  const char* class_name() const override { return "EDMEulerScheduler"; }
  at::Tensor sigmas() const override { return sigmas_; }
  double init_noise_sigma() const override;
  at::Tensor scale_model_input(const at::Tensor& sample) const override;
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  EDMEulerConfig config_;
  at::Tensor sigmas_;
  std::vector<float> sigma_;
};

}  // namespace affiche::diffusion
