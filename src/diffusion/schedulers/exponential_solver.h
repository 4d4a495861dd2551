// SPDX-License-Identifier: Apache-2.0
// What the exponential integrators share (DPM-Solver, DEIS, UniPC): the variance-preserving process
// x = alpha x0 + sigma noise, solved exactly in its linear part over lambda = log(alpha / sigma)
// (Lu et al., arXiv 2206.00927, section 3).
#pragma once

#include <deque>

#include "diffusion/schedulers/scheduler.h"
#include "diffusion/schedulers/sigmas.h"

namespace affiche::diffusion {

struct SolverConfig {
  NoiseScheduleConfig noise;
  std::int64_t solver_order = 2;            // 1 to 3
  std::string prediction_type = "epsilon";  // or "sample", "v_prediction", "flow_prediction"
  ClipConfig clip;                          // thresholding only
  SigmaSpacing spacing = SigmaSpacing::AsTimesteps;
  bool use_flow_sigmas = false;
  double flow_shift = 1;
  bool use_dynamic_shifting = false;
  std::string time_shift_type = "exponential";  // or "linear"
  std::string timestep_spacing = "linspace";
  std::int64_t steps_offset = 0;
  bool lower_order_final = true;
};

// Reads the keys that all of them have.
SolverConfig read_solver(ConfigReader& reader, const nlohmann::ordered_json& json);

class ExponentialSolver : public Scheduler {
 public:
  at::Tensor sigmas() const override { return sigmas_; }
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 protected:
  explicit ExponentialSolver(const SolverConfig& config);
  struct Run {
    std::vector<double> timesteps, levels;
  };
  // By timestep_spacing over the first `usable` training steps. Other counts and roundings than
  // DDIM's: n + 1 points, of which the last, clean one is dropped.
  Run spaced_run(std::int64_t n, std::int64_t usable) const;
  // By karras, exponential or beta sigmas; whole time steps with `rounded`.
  Run respaced_run(std::int64_t n, bool rounded) const;
  // Levels of flow matching, evenly spaced and shifted.
  Run flow_run(std::int64_t n, const RunOptions& options) const;
  void start(const Run& run, double final_sigma);

  // A noise level as the papers write it.
  struct Level {
    float alpha, sigma, lambda;
  };
  Level level(std::size_t place) const;
  // The network's prediction as the noiseless sample, thresholded, or as the noise.
  at::Tensor predicted_original(const at::Tensor& model_output, const at::Tensor& sample) const;
  at::Tensor predicted_noise(const at::Tensor& model_output, const at::Tensor& sample) const;
  // Keeps as many predictions as the order needs, newest first.
  void remember(const at::Tensor& prediction);

  SolverConfig solver_;
  SigmaTable table_;
  at::Tensor sigmas_;
  std::vector<float> sigma_;
  std::deque<at::Tensor> outputs_;
};

}  // namespace affiche::diffusion
