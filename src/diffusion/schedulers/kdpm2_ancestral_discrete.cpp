// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/kdpm2_ancestral_discrete.h"

#include <ATen/ATen.h>

#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

KDPM2AncestralConfig KDPM2AncestralConfig::from_json(const Json& json) {
  return {KDPM2Config::read(json, "KDPM2AncestralDiscreteScheduler")};
}

AncestralStep KDPM2AncestralDiscreteScheduler::stride(float from, float to) const {
  return ancestral_step(from, to);
}

at::Tensor KDPM2AncestralDiscreteScheduler::arrived(const at::Tensor& sample, float up,
                                                    const at::Tensor& like,
                                                    const StepOptions& options) const {
  return sample + randn(like.sizes(), options.generators, like.scalar_type(), like.device()) * up;
}

}  // namespace affiche::diffusion
