// SPDX-License-Identifier: Apache-2.0
// The linear multistep method of k-diffusion (sample_lms): Adams-Bashforth with the steps of the
// schedule, diffusers' LMSDiscreteScheduler.
#pragma once

#include <deque>

#include "diffusion/schedulers/sigma_space.h"

namespace affiche::diffusion {

struct LMSConfig : SigmaSpaceConfig {
  static LMSConfig from_json(const nlohmann::ordered_json& json);
};

class LMSDiscreteScheduler final : public SigmaSpaceScheduler {
 public:
  explicit LMSDiscreteScheduler(const LMSConfig& config) : SigmaSpaceScheduler(config) {}
  const char* class_name() const override { return "LMSDiscreteScheduler"; }
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
  double coefficient(std::size_t order, std::size_t which) const;
  std::deque<at::Tensor> derivatives_;  // newest first
};

}  // namespace affiche::diffusion
