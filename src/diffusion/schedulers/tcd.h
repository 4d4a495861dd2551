// SPDX-License-Identifier: Apache-2.0
// Trajectory consistency distillation (Zheng et al., arXiv 2402.19159), diffusers' TCDScheduler.
#pragma once

#include "diffusion/schedulers/consistency.h"

namespace affiche::diffusion {

struct TCDConfig : ConsistencyConfig {
  static TCDConfig from_json(const nlohmann::ordered_json& json);
};

class TCDScheduler final : public ConsistencyScheduler {
 public:
  explicit TCDScheduler(const TCDConfig& config) : ConsistencyScheduler(config) {}
  const char* class_name() const override { return "TCDScheduler"; }
  // options.eta is the paper's gamma: 0 deterministic to 1 as LCM.
  at::Tensor step(const at::Tensor& model_output, const at::Tensor& sample,
                  const StepOptions& options) override;

 private:
  void plan(std::int64_t n, const RunOptions& options) override;
};

}  // namespace affiche::diffusion
