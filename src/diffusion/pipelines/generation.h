// SPDX-License-Identifier: Apache-2.0
// What a pipeline makes of a request, and how it is watched meanwhile.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace affiche::diffusion {

struct Watch {
  // After every step: steps done, steps in all, the latents.
  std::function<void(std::int64_t, std::int64_t, const at::Tensor&)> step;
  std::function<bool()> cancelled;  // asked before every step and every other stage
  // What the pictures will about be, N x H x W x 3, uint8, CPU: after every preview_every steps but
  // not after the last one. Steps done, steps in all, the pictures.
  std::function<void(std::int64_t, std::int64_t, const at::Tensor&)> preview;
  std::int64_t preview_every = 5;
};

struct Generation {
  at::Tensor images;   // N x H x W x 3, uint8, CPU
  at::Tensor decoded;  // N x 3 x H x W, float32 in [0, 1], CPU: before it is laid over an original
  at::Tensor latents;  // final, before the decoder: N x C x h x w (Flux: packed,
                       // N x tokens x 4 C), float32, CPU
  at::Tensor initial;  // before the first step, scaled by init_noise_sigma or noised; likewise
  at::Tensor timesteps;               // of the steps that were run
  at::Tensor prompt_embeds;           // N x T x D, float32, CPU
  at::Tensor negative_prompt_embeds;  // undefined without guidance
  at::Tensor pooled_prompt_embeds;    // N x P, Stable Diffusion XL, 3 and Flux
  at::Tensor negative_pooled_prompt_embeds;
  std::string scheduler;                 // class name
  std::int64_t num_inference_steps = 0;  // with the pipeline's defaults filled in
  double guidance_scale = 0;
  double strength = 1;
  double conditioning_scale = 1;  // of ControlNets that were given none
  bool vae_in_float32 = false;  // half precision overflowed; a warning says so too
  double encode_seconds = 0;
  std::vector<double> step_seconds;
  double decode_seconds = 0;
  std::vector<std::string> warnings;  // for instance a prompt that was cut after 77 tokens
};

}  // namespace affiche::diffusion
