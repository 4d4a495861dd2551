// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/control.h"

#include <ATen/ATen.h>

namespace affiche::diffusion {
namespace {

at::Tensor guided_half(const at::Tensor& both) {
  return both.defined() ? both.chunk(2)[1] : both;
}

at::Tensor with_free_half(const at::Tensor& residual) {
  return at::cat({at::zeros_like(residual), residual});
}

}  // namespace

Control::Control(const Components& parts, const GenerateRequest& request, const Plan& plan,
                 const std::optional<Region>& region, at::ScalarType dtype, at::Device device)
    : parts_(parts),
      request_(request),
      guided_(plan.guided),
      guess_mode_(request.guess_mode),
      default_scale_(plan.conditioning_scale) {
  if (parts.controlnets.size() == 1 && parts.controlnets[0]->config().global_pool_conditions) {
    guess_mode_ = true;
  }
  const bool both = guided_ && !guess_mode_;
  for (const ControlInput& control : request.controls) {
    const Preparation how{plan.height, plan.width, parts.vae->scale(), Filter::Lanczos, region};
    pictures_.push_back(to_unit(control.image, how)
                            .repeat({plan.pictures * (both ? 2 : 1), 1, 1, 1})
                            .to(device, dtype));
  }
}

void Control::add_to(UNetConditions& conditions, std::int64_t i, std::int64_t n,
                     const at::Tensor& input, const at::Tensor& timestep,
                     const at::Tensor& text) const {
  const bool half = guess_mode_ && guided_;
  UNetConditions added;
  added.text_embeds = half ? guided_half(conditions.text_embeds) : conditions.text_embeds;
  added.time_ids = half ? guided_half(conditions.time_ids) : conditions.time_ids;
  std::vector<at::Tensor>& down = conditions.down_block_additional_residuals;
  at::Tensor& mid = conditions.mid_block_additional_residual;
  down.clear();
  mid = at::Tensor();
  const double done = static_cast<double>(i) / static_cast<double>(n);
  const double next = static_cast<double>(i + 1) / static_cast<double>(n);
  for (std::size_t k = 0; k < parts_.controlnets.size(); ++k) {
    const ControlInput& control = request_.controls[k];
    const bool counts = done >= control.guidance_start && next <= control.guidance_end;
    const double scale = counts ? control.conditioning_scale.value_or(default_scale_) : 0;
    if (scale == 0) continue;  // adds zeros
    const ControlNetOutput output = parts_.controlnets[k]->forward(
        half ? guided_half(input) : input, timestep, half ? guided_half(text) : text, pictures_[k],
        scale, guess_mode_, added);
    for (std::size_t j = 0; j < output.down_block_res_samples.size(); ++j) {
      const at::Tensor& sample = output.down_block_res_samples[j];
      if (j < down.size()) {
        down[j] = down[j] + sample;
      } else {
        down.push_back(sample);
      }
    }
    mid = mid.defined() ? mid + output.mid_block_res_sample : output.mid_block_res_sample;
  }
  if (!half) return;
  for (at::Tensor& residual : down) residual = with_free_half(residual);
  if (mid.defined()) mid = with_free_half(mid);
}

}  // namespace affiche::diffusion
