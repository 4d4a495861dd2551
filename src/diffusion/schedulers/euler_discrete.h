// SPDX-License-Identifier: Apache-2.0
// Euler's method in sigma space (Karras et al., arXiv 2206.00364, algorithm 2), diffusers'
// EulerDiscreteScheduler.
#pragma once

#include <optional>

#include "diffusion/schedulers/sigma_space.h"

namespace affiche::diffusion {

struct EulerConfig : SigmaSpaceConfig {
  std::string interpolation_type = "linear";
  std::string timestep_type = "discrete";
  std::optional<double> sigma_min, sigma_max;  // ends of the respaced levels
  bool final_sigma_zero = true;

  static EulerConfig from_json(const nlohmann::ordered_json& json);
};

class EulerDiscreteScheduler final : public SigmaSpaceScheduler {
 public:
  explicit EulerDiscreteScheduler(const EulerConfig& config)
      : SigmaSpaceScheduler(config), config_(config) {}
  const char* class_name() const override { return "EulerDiscreteScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  EulerConfig config_;
};

}  // namespace affiche::diffusion
