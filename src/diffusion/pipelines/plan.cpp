// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/plan.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/suggest.h"

namespace affiche::diffusion {
namespace {

using Start = Plan::Start;

struct Task {
  Start start;
  bool controlled;
};

const std::map<std::string, Task>& tasks() {
  static const std::map<std::string, Task> kTasks = {{"txt2img", {Start::Noise, false}},
                                                     {"img2img", {Start::Picture, false}},
                                                     {"inpaint", {Start::Mask, false}},
                                                     {"outpaint", {Start::Mask, false}},
                                                     {"upscale", {Start::SmallPicture, false}},
                                                     {"controlnet", {Start::Noise, true}},
                                                     {"controlnet_img2img", {Start::Picture, true}},
                                                     {"controlnet_inpaint", {Start::Mask, true}}};
  return kTasks;
}

Start asked_for(const GenerateRequest& request, const Components& parts) {
  if (parts.is_upscaler()) return Start::SmallPicture;
  if (request.mask || request.outpaint) return Start::Mask;
  return request.image ? Start::Picture : Start::Noise;
}

void check_task(const GenerateRequest& request, const Plan& plan) {
  if (request.task.empty()) return;
  const auto found = tasks().find(request.task);
  if (found == tasks().end()) {
    std::vector<std::string> names;
    for (const auto& [name, unused] : tasks()) names.push_back(name);
    fail(Cause::Usage, "task \"", request.task, "\": unknown", suggestion(request.task, names));
  }
  if (found->second.start != plan.start || found->second.controlled != plan.controlled) {
    fail(Cause::Usage, "task \"", request.task, "\": it does not fit what is given: it needs ",
         found->second.start == Start::Noise     ? "neither image nor mask"
         : found->second.start == Start::Picture ? "an image and no mask"
         : found->second.start == Start::Mask    ? "an image and a mask"
                                                 : "an upscaler model and an image",
         found->second.controlled ? ", and a controlnet with its control picture" : "");
  }
}

void check_pictures(const GenerateRequest& request, const Components& parts, Start start,
                    bool has_first_pass) {
  if (start != Start::Noise && !request.image && !has_first_pass) {
    fail(Cause::Usage, start == Start::SmallPicture ? "this model enlarges pictures" : "mask",
         ": expected an image, found none; give --init IMG");
  }
  if (start == Start::SmallPicture && (request.mask || request.outpaint)) {
    fail(Cause::Usage, "mask: an upscaler takes none");
  }
  if (request.mask && request.outpaint) {
    fail(Cause::Usage, "mask: outpainting makes its own; leave one of them out");
  }
  const std::int64_t channels = parts.unet->config().in_channels;
  const std::int64_t latents = parts.vae->latent_channels();
  if (channels == 2 * latents + 1 && start != Start::Mask) {
    fail(Cause::Usage, "this model paints into pictures (its UNet has ", channels,
         " input channels): expected an image and a mask; give --init and --mask");
  }
  const bool fits = start == Start::SmallPicture ? channels == latents + 3
                    : start == Start::Mask ? channels == latents || channels == 2 * latents + 1
                                           : channels == latents;
  if (!fits) {
    fail(Cause::BadInput, "the UNet has ", channels, " input channels, which this task has no use ",
         "for; expected ", latents, start == Start::Mask ? concat(" or ", 2 * latents + 1) : "");
  }
  if (request.hires && (start == Start::Mask || start == Start::SmallPicture)) {
    fail(Cause::Usage, "hires: the second pass follows text-to-image and image-to-image only");
  }
}

void check_controls(const GenerateRequest& request, const Components& parts) {
  if (request.controls.size() != parts.controlnets.size()) {
    fail(Cause::Usage, "control: expected one picture for each of the ", parts.controlnets.size(),
         " ControlNets, found ", request.controls.size());
  }
  for (const ControlInput& control : request.controls) {
    const double start = control.guidance_start, end = control.guidance_end;
    if (!(start >= 0 && start < end && end <= 1)) {
      fail(Cause::Usage, "control_guidance_start ", start, ", control_guidance_end ", end,
           ": expected 0 <= start < end <= 1");
    }
  }
}

// Signatures of the pipelines' __call__ in diffusers 0.42.
void fill_defaults(const GenerateRequest& request, const Components& parts, Plan& plan) {
  const bool lcm = parts.pipeline_class.starts_with("LatentConsistencyModel");
  plan.num_inference_steps =
      request.num_inference_steps.value_or(lcm                                 ? 4
                                           : plan.start == Start::SmallPicture ? 75
                                                                               : 50);
  double guidance = parts.is_xl() ? 5.0 : 7.5;
  if (parts.is_xl() && plan.start == Start::Mask && !plan.controlled) guidance = 7.5;
  if (plan.start == Start::SmallPicture) guidance = 9.0;
  if (lcm) guidance = 8.5;
  plan.guidance_scale = request.guidance_scale.value_or(guidance);
  double strength = 1;
  if (plan.start == Start::Picture) strength = parts.is_xl() && !plan.controlled ? 0.3 : 0.8;
  if (plan.start == Start::Mask && parts.is_xl()) strength = 0.9999;
  plan.strength = request.strength.value_or(strength);
  if (plan.start == Start::Picture) plan.conditioning_scale = 0.8;
  if (plan.start == Start::Mask && !parts.is_xl()) plan.conditioning_scale = 0.5;
  // A distilled model has learned what guidance does: one prediction is enough.
  plan.guided = plan.guidance_scale > 1 && !parts.is_lcm();
}

void check_numbers(const GenerateRequest& request, const Components& parts, const Plan& plan) {
  if (plan.num_inference_steps < 1 || plan.num_inference_steps > 1000) {
    fail(Cause::Usage, "num_inference_steps ", plan.num_inference_steps, ": expected 1 to 1000");
  }
  if (!std::isfinite(plan.guidance_scale)) fail(Cause::Usage, "guidance_scale: not a number");
  if (!(plan.strength >= 0 && plan.strength <= 1)) {
    fail(Cause::Usage, "strength ", plan.strength, ": expected 0 to 1");
  }
  if (request.strength && (plan.start == Start::Noise || plan.start == Start::SmallPicture)) {
    fail(Cause::Usage, "strength: it belongs to image-to-image; give an image too");
  }
  const bool from_picture = plan.start == Start::Picture || plan.start == Start::Mask;
  const double run = static_cast<double>(plan.num_inference_steps) * plan.strength;
  if (from_picture && static_cast<std::int64_t>(run) < 1) {
    fail(Cause::Usage, "strength ", plan.strength, ": of ", plan.num_inference_steps,
         " steps none would be run; raise strength or the number of steps");
  }
  if (plan.start == Start::SmallPicture &&
      (request.noise_level < 0 || request.noise_level > parts.max_noise_level)) {
    fail(Cause::Usage, "noise_level ", request.noise_level, ": expected 0 to ",
         parts.max_noise_level);
  }
  if (request.padding_mask_crop && plan.start != Start::Mask) {
    fail(Cause::Usage, "padding_mask_crop: it belongs to in-painting; give a mask too");
  }
  if (request.padding_mask_crop && *request.padding_mask_crop < 0) {
    fail(Cause::Usage, "padding_mask_crop ", *request.padding_mask_crop, ": expected 0 or more");
  }
}

std::int64_t checked_size(std::int64_t pixels, std::int64_t scale, const char* name) {
  // The upper bound keeps a typing error from asking for hundreds of gigabytes.
  constexpr std::int64_t kMost = 8192;
  if (pixels < scale || pixels > kMost || pixels % scale != 0) {
    fail(Cause::Usage, name, " ", pixels, ": expected a multiple of ", scale, " from ", scale,
         " to ", kMost, pixels == 0 ? "; the model states no size, so give one" : "");
  }
  return pixels;
}

void fill_sizes(const GenerateRequest& request, const Components& parts, Plan& plan) {
  const std::int64_t scale = parts.vae->scale();
  std::int64_t height = request.height, width = request.width;
  const bool follows =
      (plan.start == Start::Picture && !plan.controlled) || plan.start == Start::SmallPicture;
  const std::int64_t enlarged = plan.start == Start::SmallPicture ? scale : 1;
  if (follows) {
    const std::int64_t h = (request.image->height - request.image->height % scale) * enlarged;
    const std::int64_t w = (request.image->width - request.image->width % scale) * enlarged;
    if ((height != 0 && height != h) || (width != 0 && width != w)) {
      plan.warnings.push_back(concat("height and width are those of the image, ", w, "x", h));
    }
    height = h;
    width = w;
  } else if (request.outpaint) {
    const Outpaint& grow = *request.outpaint;
    height = request.image->height + grow.top + grow.bottom;
    width = request.image->width + grow.left + grow.right;
    height -= height % scale;
    width -= width % scale;
  } else if (plan.controlled) {
    const Image& control = request.controls.front().image;
    if (height == 0) height = control.height - control.height % scale;
    if (width == 0) width = control.width - control.width % scale;
  } else {
    const std::int64_t trained = parts.unet->config().sample_size * scale;
    if (height == 0) height = trained;
    if (width == 0) width = trained;
  }
  plan.height = checked_size(height, scale, "height");
  plan.width = checked_size(width, scale, "width");
}

}  // namespace

std::int64_t count_pictures(const GenerateRequest& request) {
  const std::size_t prompts = request.prompts.size();
  if (prompts == 0) fail(Cause::Usage, "prompt: expected at least one");
  const std::int64_t each = request.num_images_per_prompt;
  if (each < 1 || each > 64 || prompts * static_cast<std::size_t>(each) > 64) {
    fail(Cause::Usage, "num_images_per_prompt ", each,
         ": expected 1 to 64 pictures in one request");
  }
  const std::int64_t pictures = static_cast<std::int64_t>(prompts) * each;
  const auto one_or_each = [&](const std::vector<std::string>& texts, const char* name) {
    if (texts.size() > 1 && texts.size() != prompts) {
      fail(Cause::Usage, name, ": expected none, one or ", prompts, ", found ", texts.size());
    }
  };
  one_or_each(request.prompts_2, "prompt_2");
  one_or_each(request.negative_prompts, "negative_prompt");
  one_or_each(request.negative_prompts_2, "negative_prompt_2");
  one_or_each(request.prompts_3, "prompt_3");
  one_or_each(request.negative_prompts_3, "negative_prompt_3");
  const std::size_t seeds = request.seeds.size();
  if (seeds != 1 && seeds != static_cast<std::size_t>(pictures)) {
    fail(Cause::Usage, "seed: expected one or ", pictures, ", found ", seeds);
  }
  return pictures;
}

Plan make_plan(const GenerateRequest& request, const Components& parts,
               const at::Tensor& first_pass) {
  Plan plan;
  plan.start = first_pass.defined() ? Start::Picture : asked_for(request, parts);
  plan.controlled = !parts.controlnets.empty() || !request.controls.empty();
  check_task(request, plan);
  check_pictures(request, parts, plan.start, first_pass.defined());
  check_controls(request, parts);
  plan.pictures = count_pictures(request);
  fill_defaults(request, parts, plan);
  check_numbers(request, parts, plan);
  if (first_pass.defined()) {
    const bool picture = first_pass.size(1) == parts.vae->in_channels();
    const std::int64_t scale = picture ? 1 : parts.vae->scale();
    plan.height = first_pass.size(2) * scale;
    plan.width = first_pass.size(3) * scale;
  } else {
    fill_sizes(request, parts, plan);
  }
  return plan;
}

}  // namespace affiche::diffusion
