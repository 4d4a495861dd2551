// SPDX-License-Identifier: Apache-2.0
#include "diffusion/schedulers/heun_discrete.h"

#include <ATen/ATen.h>

#include "base/json.h"

namespace affiche::diffusion {

HeunConfig HeunConfig::from_json(const Json& json) {
  ConfigReader reader(json, "HeunDiscreteScheduler config");
  HeunConfig c;
  static_cast<SigmaSpaceConfig&>(c) =
      read_sigma_space(reader, json, stable_diffusion_noise("linear"),
                       {"epsilon", "sample", "v_prediction"}, {"exp"});
  c.noise.rescale_betas_zero_snr = false;  // not an option of this class
  c.clip = read_clip(reader, false);
  c.clip.thresholding = false;  // nor is this
  know_all_scheduler_keys(reader);
  reader.finish();
  return c;
}

void HeunDiscreteScheduler::plan(std::int64_t n, const RunOptions&) {
  const Run run = spaced_run(n);
  set_sigmas(sigma_tensor(doubled(run.levels), 0));
  begin(float_tensor(doubled(run.timesteps)));
  sample_.reset();
  derivative_.reset();
}

at::Tensor HeunDiscreteScheduler::step(const at::Tensor& model_output, const at::Tensor& sample,
                                       const StepOptions&) {
  const bool first = !sample_.defined();
  const float from = sigma_[first ? index() : index() - 1];
  const float to = sigma_[first ? index() + 1 : index()];
  const float here = first ? from : to;
  const at::Tensor original = clip_.apply(original_at(model_output, sample, here));
  const at::Tensor derivative = (sample - original) / here;
  ++index_;
  if (first) {
    sample_ = sample;
    derivative_ = derivative;
    return sample + derivative * (to - from);
  }
  const at::Tensor result = sample_ + (derivative_ + derivative) / 2 * (to - from);
  sample_.reset();
  derivative_.reset();
  return result;
}

}  // namespace affiche::diffusion
