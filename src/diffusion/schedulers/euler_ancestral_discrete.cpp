// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/euler_ancestral_discrete.h"

#include <ATen/ATen.h>

#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

EulerAncestralConfig EulerAncestralConfig::from_json(const Json& json) {
  ConfigReader reader(json, "EulerAncestralDiscreteScheduler config");
  EulerAncestralConfig c;
  static_cast<SigmaSpaceConfig&>(c) =
      read_sigma_space(reader, json, {}, {"epsilon", "v_prediction"});
  c.spacing = SigmaSpacing::AsTimesteps;  // not an option of this class
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void EulerAncestralDiscreteScheduler::plan(std::int64_t n, const RunOptions&) {
  const Run run = spaced_run(n);
  set_sigmas(sigma_tensor(run.levels, 0));
  begin(float_tensor(run.timesteps));
}

at::Tensor EulerAncestralDiscreteScheduler::step(const at::Tensor& model_output,
                                                 const at::Tensor& given,
                                                 const StepOptions& options) {
  const at::Tensor sample = given.to(at::kFloat);
  const float from = sigma_[index()];
  const AncestralStep to = ancestral_step(from, sigma_[index() + 1]);
  const at::Tensor derivative = (sample - original_at(model_output, sample, from)) / from;
  const at::Tensor noise = randn(model_output.sizes(), options.generators,
                                 model_output.scalar_type(), model_output.device());
  ++index_;
  return (sample + derivative * (to.down - from) + noise * to.up).to(model_output.scalar_type());
}

}  // namespace affiche::diffusion
