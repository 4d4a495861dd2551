// SPDX-License-Identifier: Apache-2.0
// DPM-Solver++ (stochastic), second order: k-diffusion's sample_dpmpp_sde ("DPM++ SDE"), diffusers'
// DPMSolverSDEScheduler. Noise comes from a Brownian tree, so that it belongs to the levels and not
// to the number of steps.
#pragma once

#include "diffusion/schedulers/brownian_tree.h"
#include "diffusion/schedulers/sigma_space.h"

namespace affiche::diffusion {

struct DPMSolverSDEConfig : SigmaSpaceConfig {
  std::optional<std::uint64_t> noise_sampler_seed;
  static DPMSolverSDEConfig from_json(const nlohmann::ordered_json& json);
};

// Without noise_sampler_seed (diffusers then takes a seed that nobody can know) each image's tree
// has the seed of its generator.
class DPMSolverSDEScheduler final : public SigmaSpaceScheduler {
 public:
  explicit DPMSolverSDEScheduler(const DPMSolverSDEConfig& config)
      : SigmaSpaceScheduler(config), seed_(config.noise_sampler_seed) {}
  const char* class_name() const override { return "DPMSolverSDEScheduler"; }
  std::size_t order() const override { return 2; }
  at::Tensor scale_model_input(const at::Tensor& sample) const override;
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  void plant(const at::Tensor& sample, const StepOptions& options);
  at::Tensor noise(const at::Tensor& sample, float from, float to);

  std::optional<std::uint64_t> seed_;
  std::vector<BrownianTree> trees_;  // one, or one per image
  at::Tensor sample_;                // where the step began; undefined before its first half
  float halfway_ = 0;
};

}  // namespace affiche::diffusion
