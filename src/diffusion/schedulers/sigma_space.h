// SPDX-License-Identifier: Apache-2.0
// What the schedulers of k-diffusion share: samples are x = x0 + sigma noise, and the model sees
// x / sqrt(sigma^2 + 1) (Karras et al., arXiv 2206.00364, section 2).
#pragma once

#include "diffusion/schedulers/scheduler.h"
#include "diffusion/schedulers/sigmas.h"

namespace affiche::diffusion {

struct SigmaSpaceConfig {
  NoiseScheduleConfig noise;
  std::string prediction_type = "epsilon";  // or "sample", "v_prediction"
  std::string timestep_spacing = "linspace";
  std::int64_t steps_offset = 0;
  SigmaSpacing spacing = SigmaSpacing::AsTimesteps;
};

// Reads the keys that all of them have; `noise`: the class's defaults, `predictions`: the
// prediction types that it knows.
SigmaSpaceConfig read_sigma_space(ConfigReader& reader, const nlohmann::ordered_json& json,
                                  const NoiseScheduleConfig& noise,
                                  const std::vector<std::string_view>& predictions,
                                  std::initializer_list<std::string_view> also = {});

class SigmaSpaceScheduler : public Scheduler {
 public:
  at::Tensor sigmas() const override { return sigmas_; }
  double init_noise_sigma() const override;
  at::Tensor scale_model_input(const at::Tensor& sample) const override;
  at::Tensor add_noise(const at::Tensor& original, const at::Tensor& noise,
                       const at::Tensor& timesteps) const override;

 protected:
  explicit SigmaSpaceScheduler(const SigmaSpaceConfig& config);
  struct Run {
    std::vector<double> timesteps, levels;
  };
  // `single`: time steps are rounded to float32 before anything is computed from them.
  Run spaced_run(std::int64_t n, bool single = true) const;
  void set_sigmas(const at::Tensor& sigmas);
  // What the prediction says of the noiseless sample at level sigma.
  at::Tensor original_at(const at::Tensor& model_output, const at::Tensor& sample,
                         float sigma) const;

  SigmaSpaceConfig space_;
  SigmaTable table_;
  at::Tensor sigmas_;
  std::vector<float> sigma_;
};

// The first value once, every other one twice: the schedule of a method that asks the model twice
// a step.
std::vector<double> doubled(const std::vector<double>& values);

// A sample whose noise was raised before the step (Karras et al., algorithm 2): the level it is at
// now. `steps`: of the run, over which options.s_churn is spread.
struct Churned {
  at::Tensor sample;
  float sigma;
};
Churned churn(const at::Tensor& sample, float sigma, std::size_t steps,
              const at::Tensor& model_output, const StepOptions& options);

// The part of the way from one level to the next that an ancestral step goes down, and the noise
// that it adds on top (k-diffusion's get_ancestral_step with eta 1).
struct AncestralStep {
  float down, up;
};
AncestralStep ancestral_step(float from, float to);

}  // namespace affiche::diffusion
