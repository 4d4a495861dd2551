// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/kdpm2_ancestral_discrete.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/json.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {

KDPM2AncestralConfig KDPM2AncestralConfig::from_json(const Json& json) {
  return {KDPM2Config::read(json, "KDPM2AncestralDiscreteScheduler")};
}

void KDPM2AncestralDiscreteScheduler::plan(std::int64_t n, const RunOptions&) {
  const Run run = spaced_run(n);
  std::vector<double> levels = run.levels;
  levels.push_back(0);
  set_sigmas(sigma_tensor(doubled(levels), 0));
  between_.clear();
  std::vector<double> halfway;
  for (std::size_t i = 0; i < run.levels.size(); ++i) {
    const float from = sigma_[2 * i];
    const float down = ancestral_step(from, sigma_[2 * i + 1]).down;
    const bool last = i + 1 == run.levels.size();
    between_.push_back(last ? 0 : exp_of((log_of(from) + log_of(down)) / 2));
    halfway.push_back(table_.to_timestep(between_.back()));
  }
  begin(with_halfway_timesteps(run.timesteps, halfway, space_.spacing));
  sample_.reset();
}

at::Tensor KDPM2AncestralDiscreteScheduler::scale_model_input(const at::Tensor& sample) const {
  const float sigma = sample_.defined() ? between_[index() / 2] : sigma_[index()];
  return sample / std::sqrt(sigma * sigma + 1);
}

at::Tensor KDPM2AncestralDiscreteScheduler::step(const at::Tensor& model_output,
                                                 const at::Tensor& sample,
                                                 const StepOptions& options) {
  const bool first = !sample_.defined();
  const float from = sigma_[first ? index() : index() - 1];
  const AncestralStep to = ancestral_step(from, sigma_[first ? index() + 1 : index()]);
  const float between = between_[index() / 2];
  const float here = first ? from : between;
  const at::Tensor derivative = (sample - original_at(model_output, sample, here)) / here;
  ++index_;
  if (first) {
    sample_ = sample;
    return sample + derivative * (between - from);
  }
  const at::Tensor noise = randn(model_output.sizes(), options.generators,
                                 model_output.scalar_type(), model_output.device());
  const at::Tensor result = sample_ + derivative * (to.down - from) + noise * to.up;
  sample_.reset();
  return result;
}

}  // namespace affiche::diffusion
