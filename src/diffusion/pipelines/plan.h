// SPDX-License-Identifier: Apache-2.0
// A request with nothing left open: the task, and diffusers' defaults of the pipeline class that
// does it.
#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/request.h"

namespace affiche::diffusion {

struct Plan {
  enum class Start { Noise, Picture, Mask, SmallPicture };
  Start start = Start::Noise;
  bool controlled = false;
  std::int64_t num_inference_steps = 50;
  double guidance_scale = 7.5;
  double strength = 1;
  double conditioning_scale = 1;  // of ControlNets that state none
  bool guided = false;            // two predictions per step
  std::int64_t height = 0;        // of the result in pixels, multiples of the VAE's scale
  std::int64_t width = 0;
  std::int64_t pictures = 1;
  std::vector<std::string> warnings;  // options that the task passes over
};

// The sizes of tasks that start from a picture follow it, as in diffusers. Usage for options that
// contradict each other or the model, with what the model needs.
// `first_pass`: pictures (N x 3 x H x W) or latents that are started from in place of the request's
// image; undefined: none.
Plan make_plan(const GenerateRequest& request, const Components& parts,
               const at::Tensor& first_pass = {});

// How many pictures a request makes. Usage unless prompts, their negatives and seeds are as many as
// they must be.
std::int64_t count_pictures(const GenerateRequest& request);

}  // namespace affiche::diffusion
