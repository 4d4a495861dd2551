// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/consistency.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace affiche::diffusion {

ConsistencyConfig read_consistency(ConfigReader& reader, const Json& json) {
  ConsistencyConfig c;
  c.noise = read_noise_schedule(reader, json, c.noise);
  c.prediction_type =
      choice(reader, "prediction_type", c.prediction_type, {"epsilon", "sample", "v_prediction"});
  c.original_inference_steps =
      reader.integer("original_inference_steps", c.original_inference_steps);
  if (c.original_inference_steps > c.noise.num_train_timesteps) {
    reader.refuse("original_inference_steps", "expected at most num_train_timesteps");
  }
  return c;
}

ConsistencyScheduler::ConsistencyScheduler(const ConsistencyConfig& config)
    : schedule_(config), alphas_(alphas_cumprod(config.noise)), alpha_(to_floats(alphas_)) {}

std::vector<std::int64_t> ConsistencyScheduler::distilled_steps(const RunOptions& options) const {
  const std::int64_t trained = schedule_.noise.num_train_timesteps;
  const std::int64_t count =
      options.original_inference_steps.value_or(schedule_.original_inference_steps);
  if (count < 1 || count > trained) {
    fail(Cause::Usage, class_name(), ": original_inference_steps: expected 1 to ", trained,
         ", found ", count);
  }
  if (!(options.strength > 0 && options.strength <= 1)) {
    fail(Cause::Usage, class_name(), ": strength: expected above 0 to 1, found ", options.strength);
  }
  const auto used = static_cast<std::int64_t>(static_cast<double>(count) * options.strength);
  std::vector<std::int64_t> steps;
  for (std::int64_t i = 1; i <= used; ++i) steps.push_back(i * (trained / count) - 1);
  return steps;
}

void ConsistencyScheduler::take_some(const std::vector<std::int64_t>& distilled, std::int64_t n) {
  const auto count = static_cast<std::int64_t>(distilled.size());
  if (n < 1 || n > count) {
    fail(Cause::Usage, class_name(), ": expected 1 to ", count, " steps, found ", n,
         "; original_inference_steps and strength set the limit");
  }
  std::vector<double> steps;
  const double stride = static_cast<double>(count) / static_cast<double>(n);
  for (std::int64_t i = 0; i < n; ++i) {
    const auto from_end = static_cast<std::size_t>(std::floor(static_cast<double>(i) * stride));
    steps.push_back(static_cast<double>(distilled[distilled.size() - 1 - from_end]));
  }
  begin(int64_tensor(steps));
}

at::Tensor ConsistencyScheduler::add_noise(const at::Tensor& original, const at::Tensor& noise,
                                           const at::Tensor& timesteps) const {
  return add_noise_at(alphas_, original, noise, timesteps);
}

}  // namespace affiche::diffusion
