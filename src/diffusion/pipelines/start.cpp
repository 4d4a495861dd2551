// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/start.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "diffusion/pipelines/vae_latents.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {
namespace {

std::vector<std::int64_t> latent_shape(const StartContext& context) {
  const std::int64_t scale = context.parts.vae->scale();
  return {context.plan.pictures, context.parts.vae->latent_channels(), context.plan.height / scale,
          context.plan.width / scale};
}

at::Tensor for_all(const at::Tensor& tensor, std::int64_t pictures) {
  return tensor.size(0) == pictures ? tensor : tensor.repeat({pictures / tensor.size(0), 1, 1, 1});
}

at::Tensor noise_like(const StartContext& context, at::IntArrayRef shape) {
  return randn(shape, context.generators, context.dtype, context.device);
}

TilingOptions tiling_of(const GenerateRequest& request) {
  return {request.vae_slicing, request.vae_tiling, 0};
}

// The run's part that strength leaves; begins there.
std::size_t begin_run(const StartContext& context) {
  // The pipelines of latent consistency models plan their shorter run themselves.
  if (context.parts.pipeline_class.starts_with("LatentConsistencyModel")) {
    context.scheduler.set_begin_index(0);
    return 0;
  }
  const std::int64_t steps = context.plan.num_inference_steps;
  const auto wanted = static_cast<std::int64_t>(static_cast<double>(steps) * context.plan.strength);
  const std::int64_t left_out = std::max<std::int64_t>(steps - std::min(wanted, steps), 0);
  const std::size_t begin = static_cast<std::size_t>(left_out) * context.scheduler.order();
  context.scheduler.set_begin_index(begin);
  return begin;
}

at::Tensor first_timestep(const StartContext& context, std::size_t begin) {
  return context.scheduler.timesteps()[static_cast<std::int64_t>(begin)].repeat(
      {context.plan.pictures});
}

Start noised(const StartContext& context, const at::Tensor& latents) {
  Start start;
  start.begin = begin_run(context);
  const at::Tensor noise = noise_like(context, latents.sizes());
  start.latents = context.scheduler.add_noise(latents, noise, first_timestep(context, start.begin));
  return start;
}

// In-painting draws for one picture and repeats it, image-to-image draws for each.
at::Tensor encode_once(const StartContext& context, const at::Tensor& picture) {
  std::vector<at::Generator> first = {context.generators.front()};
  return for_all(encode_picture(*context.parts.vae, picture.to(context.device, context.dtype),
                                first, 1, tiling_of(context.request)),
                 context.plan.pictures);
}

}  // namespace

Start start_from_noise(const StartContext& context) {
  Start start;
  start.latents = noise_like(context, latent_shape(context)) * context.scheduler.init_noise_sigma();
  return start;
}

Start start_from_picture(const StartContext& context, const at::Tensor& picture) {
  return noised(
      context,
      encode_picture(*context.parts.vae, picture.to(context.device, context.dtype),
                     context.generators, context.plan.pictures, tiling_of(context.request)));
}

Start start_from_latents(const StartContext& context, const at::Tensor& latents) {
  return noised(context, latents);
}

Start start_from_mask(const StartContext& context, const Image& picture, const Image& mask,
                      const std::optional<Region>& region) {
  const Plan& plan = context.plan;
  Preparation how{plan.height, plan.width, context.parts.vae->scale(), Filter::Lanczos, region};
  const at::Tensor whole = to_signed(picture, how);
  const at::Tensor hole = to_mask(mask, how);
  const std::int64_t channels = context.parts.vae->latent_channels();
  const bool sees_mask = context.parts.unet->config().in_channels != channels;
  const bool from_noise = plan.strength == 1;

  Start start;
  start.begin = begin_run(context);
  at::Tensor original;
  if (!sees_mask || !from_noise) original = encode_once(context, whole);
  const std::vector<std::int64_t> shape = latent_shape(context);
  const at::Tensor noise = noise_like(context, shape);
  start.latents = from_noise ? noise * context.scheduler.init_noise_sigma()
                             : context.scheduler.add_noise(original, noise,
                                                           first_timestep(context, start.begin));
  const at::Tensor small = at::upsample_nearest2d(hole, {shape[2], shape[3]})
                               .to(context.device, context.dtype)
                               .repeat({plan.pictures, 1, 1, 1});
  // Drawn for UNets without a mask too: a generator that goes on must be where diffusers' is.
  const at::Tensor without_hole = encode_once(context, whole * hole.lt(0.5));
  if (sees_mask) {
    start.extra_channels = at::cat({small, without_hole}, 1);
  } else {
    start.kept = Kept{original, noise, small};
  }
  return start;
}

Start start_from_small_picture(const StartContext& context) {
  const Image& image = *context.request.image;
  const Preparation how{0, 0, context.parts.vae->scale(), Filter::Bicubic, std::nullopt};
  const at::Tensor small = to_signed(image, how).to(context.device, context.dtype);
  std::vector<at::Generator> first = {context.generators.front()};
  const std::vector<at::Generator>& generators =
      context.generators.size() == 1 ? context.generators : first;
  const at::Tensor noise = randn(small.sizes(), generators, context.dtype, context.device);
  const CheckpointScheduler& low_res = *context.parts.low_res_scheduler;
  const auto blur = make_scheduler(low_res.class_name, low_res.config);
  const at::Tensor level = at::full({1}, context.request.noise_level, at::kLong);
  Start start;
  start.extra_channels = for_all(blur->add_noise(small, noise, level), context.plan.pictures);
  start.class_labels = level.repeat({context.plan.pictures}).to(context.device);
  start.latents = noise_like(context, latent_shape(context)) * context.scheduler.init_noise_sigma();
  return start;
}

}  // namespace affiche::diffusion
