// SPDX-License-Identifier: Apache-2.0
// Where a run begins: in noise, in a noised picture, or in a picture with a hole.
#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include <optional>
#include <vector>

#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/pictures.h"
#include "diffusion/pipelines/plan.h"
#include "diffusion/pipelines/request.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {

// What is not painted anew: it is laid over the latents after every step.
struct Kept {
  at::Tensor latents;  // of the picture, N x C x h x w
  at::Tensor noise;    // likewise
  at::Tensor mask;     // N x 1 x h x w, 1: painted anew
};

struct Start {
  at::Tensor latents;         // before the first step, N x C x h x w
  std::size_t begin = 0;      // its place in scheduler.timesteps()
  at::Tensor extra_channels;  // joined to the latents that the UNet sees; undefined: none
  std::optional<Kept> kept;
  at::Tensor class_labels;  // N, the upscaler's noise level
};

// What all starts need. The generators are drawn from in diffusers' order.
struct StartContext {
  const Components& parts;
  const GenerateRequest& request;
  const Plan& plan;
  Scheduler& scheduler;  // its timesteps are set
  std::vector<at::Generator>& generators;
  at::ScalarType dtype;
  at::Device device;
};

Start start_from_noise(const StartContext& context);
// `picture`: N or 1 x 3 x H x W in [-1, 1]; it takes the place of the request's image.
Start start_from_picture(const StartContext& context, const at::Tensor& picture);
// `latents`: already scaled, N x C x h x w.
Start start_from_latents(const StartContext& context, const at::Tensor& latents);
// `region`: the part of picture and mask that is looked at.
Start start_from_mask(const StartContext& context, const Image& picture, const Image& mask,
                      const std::optional<Region>& region);
Start start_from_small_picture(const StartContext& context);

}  // namespace affiche::diffusion
