// SPDX-License-Identifier: Apache-2.0
// DPM-Solver and DPM-Solver++ (Lu et al., arXiv 2206.00927 and 2211.01095) with their stochastic
// forms: what the multistep and the singlestep scheduler share.
#pragma once

#include <limits>

#include "diffusion/schedulers/exponential_solver.h"

namespace affiche::diffusion {

struct DPMSolverConfig : SolverConfig {
  bool plus_plus = true;    // solves for the sample rather than for the noise
  bool stochastic = false;  // algorithm types that begin with "sde-"
  bool heun = false;        // solver type; otherwise midpoint
  bool euler_at_final = false;
  bool use_lu_lambdas = false;
  bool final_sigma_zero = true;
  double lambda_min_clipped = -std::numeric_limits<double>::infinity();
};

// Reads the keys that both have.
DPMSolverConfig read_dpm_solver(ConfigReader& reader, const nlohmann::ordered_json& json,
                                const std::vector<std::string_view>& algorithms);

class DPMSolver : public ExponentialSolver {
 protected:
  explicit DPMSolver(const DPMSolverConfig& config);
  at::Tensor converted(const at::Tensor& model_output, const at::Tensor& sample) const {
    return config_.plus_plus ? predicted_original(model_output, sample)
                             : predicted_noise(model_output, sample);
  }
  // The Taylor expansion of what is solved for, at the beginning of a step: its value and, where
  // defined, its derivatives times powers of the step's length.
  struct Expansion {
    at::Tensor value, first, second;
    bool midpoint = false;  // integrates the first derivative with half the weight of the value
  };
  at::Tensor integrate(const at::Tensor& sample, const Level& from, const Level& to,
                       const Expansion& expansion, const at::Tensor& noise) const;

  DPMSolverConfig config_;
  std::int64_t last_timestep_ = 0;  // one past the last usable training step

 private:
  at::Tensor deterministic(const at::Tensor& sample, const Level& from, const Level& to,
                           const Expansion& expansion) const;
  at::Tensor stochastic(const at::Tensor& sample, const Level& from, const Level& to,
                        const Expansion& expansion) const;
  at::Tensor over_noise(const at::Tensor& sample, const Level& from, const Level& to,
                        const Expansion& expansion) const;
};

}  // namespace affiche::diffusion
