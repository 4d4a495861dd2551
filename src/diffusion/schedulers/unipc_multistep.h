// SPDX-License-Identifier: Apache-2.0
// UniPC (Zhao et al., arXiv 2302.04867): a predictor and, with the next prediction at hand, a
// corrector of the same order; diffusers' UniPCMultistepScheduler.
#pragma once

#include <optional>
#include <set>

#include "diffusion/schedulers/exponential_solver.h"

namespace affiche::diffusion {

struct UniPCConfig : SolverConfig {
  bool predict_x0 = true;                    // solves for the sample rather than for the noise
  bool bh2 = true;                           // B(h) = exp(h) - 1; otherwise B(h) = h
  std::set<std::int64_t> disable_corrector;  // steps whose result is not corrected
  bool final_sigma_zero = true;
  std::optional<double> sigma_min, sigma_max;  // ends of the respaced levels
  std::optional<double> shift_terminal;        // flow matching: the last level of the run

  static UniPCConfig from_json(const nlohmann::ordered_json& json);
};

class UniPCMultistepScheduler final : public ExponentialSolver {
 public:
  explicit UniPCMultistepScheduler(const UniPCConfig& config)
      : ExponentialSolver(config), config_(config) {}
  const char* class_name() const override { return "UniPCMultistepScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  Run unipc_respaced_run(std::int64_t n) const;
  Run unipc_flow_run(std::int64_t n, const RunOptions& options) const;
  // From the level of `place` to the next, with the predictions up to there; `reached`: the
  // prediction at the next level, for the corrector.
  at::Tensor update(const at::Tensor& sample, std::size_t place, std::size_t order,
                    const at::Tensor& reached) const;

  UniPCConfig config_;
  at::Tensor last_sample_;  // corrected
  std::size_t last_order_ = 1;
};

}  // namespace affiche::diffusion
