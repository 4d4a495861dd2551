// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/dpm_solver_sde.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"

namespace affiche::diffusion {

DPMSolverSDEConfig DPMSolverSDEConfig::from_json(const Json& json) {
  ConfigReader reader(json, "DPMSolverSDEScheduler config");
  DPMSolverSDEConfig c;
  static_cast<SigmaSpaceConfig&>(c) =
      read_sigma_space(reader, json, stable_diffusion_noise("linear"), {"epsilon", "v_prediction"});
  c.noise.rescale_betas_zero_snr = false;  // not an option of this class
  const std::int64_t seed = reader.any_integer("noise_sampler_seed", -1);
  if (seed >= 0) c.noise_sampler_seed = static_cast<std::uint64_t>(seed);
  if (seed < -1) reader.refuse("noise_sampler_seed", "expected a whole number from 0");
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void DPMSolverSDEScheduler::plan(std::int64_t n, const RunOptions&) {
  const Run run = spaced_run(n, false);
  std::vector<double> timesteps = doubled(run.timesteps);
  for (std::size_t i = 0; i + 1 < run.levels.size(); ++i) {
    const double halfway = std::exp((std::log(run.levels[i]) + std::log(run.levels[i + 1])) / 2);
    timesteps[2 * i + 1] = table_.to_timestep(halfway);
  }
  set_sigmas(sigma_tensor(doubled(run.levels), 0));
  begin(double_tensor(timesteps));
  trees_.clear();
  sample_.reset();
}

at::Tensor DPMSolverSDEScheduler::scale_model_input(const at::Tensor& sample) const {
  const float sigma = sample_.defined() ? halfway_ : sigma_[index()];
  return sample / std::sqrt(sigma * sigma + 1);
}

void DPMSolverSDEScheduler::plant(const at::Tensor& sample, const StepOptions& options) {
  if (!trees_.empty()) return;
  const double largest = *std::max_element(sigma_.begin(), sigma_.end());
  const double smallest = sigma_[sigma_.size() - 2];
  std::vector<std::int64_t> shape = sample.sizes().vec();
  if (seed_) {
    trees_.emplace_back(shape, sample.scalar_type(), smallest, largest, *seed_);
    return;
  }
  const auto images = static_cast<std::size_t>(sample.size(0));
  if (options.generators.size() != 1 && options.generators.size() != images) {
    fail(Cause::Usage, class_name(), ": expected one random generator per image (", images,
         "), found ", options.generators.size());
  }
  if (options.generators.size() > 1) shape[0] = 1;
  for (const at::Generator& generator : options.generators) {
    trees_.emplace_back(shape, sample.scalar_type(), smallest, largest, generator.current_seed());
  }
}

// Unit normal: the change between the levels, over the root of their distance. Time runs towards
// larger levels, the steps towards smaller ones.
at::Tensor DPMSolverSDEScheduler::noise(const at::Tensor& sample, float from, float to) {
  std::vector<at::Tensor> parts;
  for (BrownianTree& tree : trees_) parts.push_back(tree.change(to, from) * -1);
  return at::cat(parts).to(sample.device()) / std::sqrt(std::fabs(to - from));
}

at::Tensor DPMSolverSDEScheduler::step(const at::Tensor& model_output, const at::Tensor& sample,
                                       const StepOptions& options) {
  plant(sample, options);
  const bool first = !sample_.defined();
  const float from = sigma_[first ? index() : index() - 1];
  const float to = sigma_[first ? index() + 1 : index()];
  const float t = -log_of(from);
  const float t_end = -log_of(to);
  const float t_halfway = t + (t_end - t) * 0.5f;
  const float here = first ? from : exp_of(-t_halfway);
  const at::Tensor original = original_at(model_output, sample, here);
  ++index_;
  if (to == 0) return sample + (sample - original) / from * (to - from);

  const float start = exp_of(-t);
  const float end = exp_of(-(first ? t_halfway : t_end));
  const float up =
      std::min(end, std::sqrt(end * end * (start * start - end * end) / (start * start)));
  const float t_down = -log_of(std::sqrt(end * end - up * up));
  at::Tensor result =
      (first ? sample : sample_) * (exp_of(-t_down) / start) - original * expm1_of(t - t_down);
  result = result + noise(sample, start, end) * options.s_noise * up;
  if (first) {
    sample_ = sample;
    halfway_ = end;
  } else {
    sample_.reset();
  }
  return result;
}

}  // namespace affiche::diffusion
