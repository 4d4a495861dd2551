// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/tcd.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

TCDConfig TCDConfig::from_json(const Json& json) {
  ConfigReader reader(json, "TCDScheduler config");
  TCDConfig c;
  static_cast<ConsistencyConfig&>(c) = read_consistency(reader, json);
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void TCDScheduler::plan(std::int64_t n, const RunOptions& options) {
  std::vector<std::int64_t> steps = distilled_steps(options);
  if (options.original_inference_steps) {
    // With a number given, diffusers takes all training steps, whatever the number.
    steps.clear();
    const auto used = static_cast<std::int64_t>(
        static_cast<double>(schedule_.noise.num_train_timesteps) * options.strength);
    for (std::int64_t i = 0; i < used; ++i) steps.push_back(i);
    if (n > *options.original_inference_steps) {
      fail(Cause::Usage, class_name(), ": expected at most original_inference_steps (",
           *options.original_inference_steps, ") steps, found ", n);
    }
  }
  take_some(steps, n);
}

// Strategic stochastic sampling, algorithm 4: deterministically to a step between the next one and
// the clean end, then noise up to the next.
at::Tensor TCDScheduler::step(const at::Tensor& model_output, const at::Tensor& sample,
                              const StepOptions& options) {
  if (!(options.eta >= 0 && options.eta <= 1)) {
    fail(Cause::Usage, class_name(), ": eta: expected 0 to 1, found ", options.eta);
  }
  const bool last = index() + 1 == step_count();
  const std::int64_t next = last ? 0 : timestep(index() + 1);
  const auto between = static_cast<std::int64_t>(
      std::floor(static_cast<float>(1 - options.eta) * static_cast<float>(next)));
  const float alpha = alpha_at(timestep(index()));
  const float alpha_next = alpha_at(next);
  const float alpha_between = alpha_at(between);
  const float root_alpha = std::sqrt(alpha);
  const float root_beta = std::sqrt(1 - alpha);

  at::Tensor original, epsilon;
  if (schedule_.prediction_type == "epsilon") {
    original = (sample - model_output * root_beta) / root_alpha;
    epsilon = model_output;
  } else if (schedule_.prediction_type == "sample") {
    original = model_output;
    epsilon = (sample - original * root_alpha) / root_beta;
  } else {
    original = sample * root_alpha - model_output * root_beta;
    epsilon = model_output * root_alpha + sample * root_beta;
  }
  at::Tensor result = original * std::sqrt(alpha_between) + epsilon * std::sqrt(1 - alpha_between);
  if (options.eta > 0 && !last) {
    const at::Tensor noise = randn(model_output.sizes(), options.generators, result.scalar_type(),
                                   model_output.device());
    const float kept = alpha_next / alpha_between;
    result = result * std::sqrt(kept) + noise * std::sqrt(1 - kept);
  }
  ++index_;
  return result;
}

}  // namespace affiche::diffusion
