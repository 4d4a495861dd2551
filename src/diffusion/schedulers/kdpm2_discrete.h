// SPDX-License-Identifier: Apache-2.0
// k-diffusion's sample_dpm_2, inspired by DPM-Solver-2 and algorithm 2 of Karras et al. (arXiv
// 2206.00364): the midpoint method in log(sigma), diffusers' KDPM2DiscreteScheduler.
#pragma once

#include "diffusion/schedulers/sigma_space.h"

namespace affiche::diffusion {

struct KDPM2Config : SigmaSpaceConfig {
  // `class_name`: the class that the config belongs to, for errors.
  static KDPM2Config read(const nlohmann::ordered_json& json, const std::string& class_name);
  static KDPM2Config from_json(const nlohmann::ordered_json& json);
};

class KDPM2DiscreteScheduler : public SigmaSpaceScheduler {
 public:
  explicit KDPM2DiscreteScheduler(const KDPM2Config& config) : SigmaSpaceScheduler(config) {}
  const char* class_name() const override { return "KDPM2DiscreteScheduler"; }
  std::size_t order() const override { return 2; }
  at::Tensor scale_model_input(const at::Tensor& sample) const override;
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 protected:
  // The level that a step goes down to, and the deviation of the noise that brings it up to `to`.
  virtual AncestralStep stride(float from, float to) const;
  // The sample at the end of a step; `like` has the network's shape, dtype and device.
  virtual at::Tensor arrived(const at::Tensor& sample, float up, const at::Tensor& like,
                             const StepOptions& options) const;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  std::vector<float> between_;  // per step: the level halfway to the one that it goes down to
  at::Tensor sample_;           // where the step began; undefined before its first half
};

}  // namespace affiche::diffusion
