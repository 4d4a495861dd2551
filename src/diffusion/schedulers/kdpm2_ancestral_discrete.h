// SPDX-License-Identifier: Apache-2.0
// k-diffusion's sample_dpm_2_ancestral: the midpoint method in log(sigma) to below the next level,
// then noise up to it; diffusers' KDPM2AncestralDiscreteScheduler.
#pragma once

#include "diffusion/schedulers/kdpm2_discrete.h"

namespace affiche::diffusion {

struct KDPM2AncestralConfig : KDPM2Config {
  static KDPM2AncestralConfig from_json(const nlohmann::ordered_json& json);
};

class KDPM2AncestralDiscreteScheduler final : public KDPM2DiscreteScheduler {
 public:
  explicit KDPM2AncestralDiscreteScheduler(const KDPM2AncestralConfig& config)
      : KDPM2DiscreteScheduler(config) {}
  const char* class_name() const override { return "KDPM2AncestralDiscreteScheduler"; }

 protected:
  AncestralStep stride(float from, float to) const override;
  at::Tensor arrived(const at::Tensor& sample, float up, const at::Tensor& like,
                     const StepOptions& options) const override;
};

}  // namespace affiche::diffusion
