// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/lcm.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

LCMConfig LCMConfig::from_json(const Json& json) {
  ConfigReader reader(json, "LCMScheduler config");
  LCMConfig c;
  static_cast<ConsistencyConfig&>(c) = read_consistency(reader, json);
  c.clip = read_clip(reader, false);
  c.timestep_scaling = reader.number("timestep_scaling", c.timestep_scaling);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

// Algorithm 3, with the boundary conditions c_skip and c_out of section 3 (sigma_data 0.5): to the
// noiseless sample, then noise up to the next step; none after the last one.
at::Tensor LCMScheduler::step(const at::Tensor& model_output, const at::Tensor& sample,
                              const StepOptions& options) {
  const std::int64_t t = timestep(index());
  const bool last = index() + 1 == step_count();
  const float alpha = alpha_at(t);
  const float beta = 1 - alpha;
  at::Tensor original = model_output;
  if (config_.prediction_type == "epsilon") {
    original = (sample - model_output * std::sqrt(beta)) / std::sqrt(alpha);
  } else if (config_.prediction_type == "v_prediction") {
    original = sample * std::sqrt(alpha) - model_output * std::sqrt(beta);
  }
  original = config_.clip.apply(original);

  constexpr float kVariance = 0.25;
  const float scaled = static_cast<float>(t) * static_cast<float>(config_.timestep_scaling);
  const float power = scaled * scaled + kVariance;
  at::Tensor result = original * (scaled / std::sqrt(power)) + sample * (kVariance / power);
  if (!last) {
    const float next = alpha_at(timestep(index() + 1));
    const at::Tensor noise = randn(model_output.sizes(), options.generators, result.scalar_type(),
                                   model_output.device());
    result = result * std::sqrt(next) + noise * std::sqrt(1 - next);
  }
  ++index_;
  return result;
}

}  // namespace affiche::diffusion
