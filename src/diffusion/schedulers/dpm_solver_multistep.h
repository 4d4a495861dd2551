// SPDX-License-Identifier: Apache-2.0
// DPM-Solver and DPM-Solver++ (Lu et al., arXiv 2206.00927 and 2211.01095), multistep, with their
// stochastic forms: diffusers' DPMSolverMultistepScheduler. "DPM++ 2M" is its default.
#pragma once

#include <deque>
#include <limits>

#include "diffusion/schedulers/scheduler.h"
#include "diffusion/schedulers/sigmas.h"

namespace affiche::diffusion {

struct DPMSolverConfig {
  NoiseScheduleConfig noise;
  std::int64_t solver_order = 2;            // 1 to 3
  std::string prediction_type = "epsilon";  // or "sample", "v_prediction", "flow_prediction"
  bool thresholding = false;
  double dynamic_thresholding_ratio = 0.995;
  double sample_max_value = 1;
  bool plus_plus = true;    // solves for the sample rather than for the noise
  bool stochastic = false;  // algorithm types that begin with "sde-"
  bool heun = false;        // solver type; otherwise midpoint
  bool lower_order_final = true;
  bool euler_at_final = false;
  SigmaSpacing spacing = SigmaSpacing::AsTimesteps;
  bool use_lu_lambdas = false;
  bool use_flow_sigmas = false;
  double flow_shift = 1;
  bool final_sigma_zero = true;
  double lambda_min_clipped = -std::numeric_limits<double>::infinity();
  std::string timestep_spacing = "linspace";
  std::int64_t steps_offset = 0;

  static DPMSolverConfig from_json(const nlohmann::ordered_json& json);
};

class DPMSolverMultistepScheduler final : public Scheduler {
 public:
  explicit DPMSolverMultistepScheduler(const DPMSolverConfig& config);
  const char* class_name() const override { return "DPMSolverMultistepScheduler"; }
  void set_timesteps(std::int64_t n) override;
  at::Tensor sigmas() const override { return sigmas_; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 private:
  // A noise level as the papers write it: x = alpha x0 + sigma noise, lambda = log(alpha / sigma).
  struct Level {
    float alpha, sigma, lambda;
  };
  Level level(std::size_t place) const;
  std::vector<double> timesteps_by_spacing(std::int64_t n) const;
  at::Tensor converted(const at::Tensor& model_output, const at::Tensor& sample) const;
  at::Tensor converted_to_noise(const at::Tensor& model_output, const at::Tensor& sample) const;
  at::Tensor first_order(const at::Tensor& sample, const at::Tensor& noise) const;
  at::Tensor second_order(const at::Tensor& sample, const at::Tensor& noise) const;
  at::Tensor third_order(const at::Tensor& sample, const at::Tensor& noise) const;
  at::Tensor add_step_noise(const at::Tensor& result, const Level& to, float h,
                            const at::Tensor& noise) const;

  DPMSolverConfig config_;
  SigmaTable table_;
  std::int64_t last_timestep_ = 0;  // one past the last usable training step
  at::Tensor sigmas_;
  std::vector<float> sigma_;
  std::deque<at::Tensor> outputs_;  // converted predictions, newest first
};

}  // namespace affiche::diffusion
