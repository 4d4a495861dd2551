// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/kdpm2_discrete.h"

#include <ATen/ATen.h>

#include <cmath>

#include "base/json.h"

namespace affiche::diffusion {

namespace {

// The run's time steps with the halfway ones between them: float64 where the levels were respaced,
// float32 otherwise.
at::Tensor with_halfway_timesteps(const std::vector<double>& timesteps,
                                  const std::vector<double>& halfway, SigmaSpacing spacing) {
  std::vector<double> all;
  for (std::size_t i = 0; i < timesteps.size(); ++i) {
    // Whole numbers, but only here: the halfway ones stay as they are.
    all.push_back(spacing == SigmaSpacing::Karras ? std::nearbyint(timesteps[i]) : timesteps[i]);
    if (i + 1 < timesteps.size()) all.push_back(halfway[i]);
  }
  return spacing == SigmaSpacing::AsTimesteps ? float_tensor(all) : double_tensor(all);
}

}  // namespace

KDPM2Config KDPM2Config::read(const Json& json, const std::string& class_name) {
  ConfigReader reader(json, class_name + " config");
  KDPM2Config c;
  static_cast<SigmaSpaceConfig&>(c) =
      read_sigma_space(reader, json, stable_diffusion_noise("linear"), {"epsilon", "v_prediction"});
  c.noise.rescale_betas_zero_snr = false;  // not an option of these classes
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

KDPM2Config KDPM2Config::from_json(const Json& json) {
  return read(json, "KDPM2DiscreteScheduler");
}

AncestralStep KDPM2DiscreteScheduler::stride(float, float to) const {
  return {to, 0};
}

at::Tensor KDPM2DiscreteScheduler::arrived(const at::Tensor& sample, float, const at::Tensor&,
                                           const StepOptions&) const {
  return sample;
}

void KDPM2DiscreteScheduler::plan(std::int64_t n, const RunOptions&) {
  const Run run = spaced_run(n);
  std::vector<double> levels = run.levels;
  levels.push_back(0);
  set_sigmas(sigma_tensor(doubled(levels), 0));
  between_.clear();
  std::vector<double> halfway;
  for (std::size_t i = 0; i < run.levels.size(); ++i) {
    const float from = sigma_[2 * i];
    const float down = stride(from, sigma_[2 * i + 1]).down;
    between_.push_back(exp_of((log_of(from) + log_of(down)) / 2));
    halfway.push_back(table_.to_timestep(between_.back()));
  }
  begin(with_halfway_timesteps(run.timesteps, halfway, space_.spacing));
  sample_.reset();
}

at::Tensor KDPM2DiscreteScheduler::scale_model_input(const at::Tensor& sample) const {
  const float sigma = sample_.defined() ? between_[index() / 2] : sigma_[index()];
  return sample / std::sqrt(sigma * sigma + 1);
}

at::Tensor KDPM2DiscreteScheduler::step(const at::Tensor& model_output, const at::Tensor& sample,
                                        const StepOptions& options) {
  const bool first = !sample_.defined();
  const float from = sigma_[first ? index() : index() - 1];
  const AncestralStep to = stride(from, sigma_[first ? index() + 1 : index()]);
  const float between = between_[index() / 2];
  const float here = first ? from : between;
  const at::Tensor derivative = (sample - original_at(model_output, sample, here)) / here;
  ++index_;
  if (first) {
    sample_ = sample;
    return sample + derivative * (between - from);
  }
  const at::Tensor result =
      arrived(sample_ + derivative * (to.down - from), to.up, model_output, options);
  sample_.reset();
  return result;
}

}  // namespace affiche::diffusion
