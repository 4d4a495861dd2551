// SPDX-License-Identifier: Apache-2.0
// What diffusers' pipelines for Stable Diffusion 1.x, 2.x and XL do, number for number: pictures
// from text, from pictures, into holes and beyond edges, enlarged, and led by ControlNets.
//
// A pipeline owns its networks, a request its scheduler and random generators; there is no global
// state. generate() is const: several threads may generate with one pipeline, as long as none
// changes its LoRAs meanwhile.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "diffusion/lora/adapters.h"
#include "diffusion/pipelines/components.h"
#include "diffusion/pipelines/request.h"

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
  at::Tensor latents;  // final, before the decoder: N x 4 x H/8 x W/8, float32, CPU
  at::Tensor initial;  // before the first step, scaled by init_noise_sigma or noised; likewise
  at::Tensor timesteps;               // of the steps that were run
  at::Tensor prompt_embeds;           // N x 77 x D, float32, CPU
  at::Tensor negative_prompt_embeds;  // undefined without guidance
  at::Tensor pooled_prompt_embeds;    // N x P, Stable Diffusion XL only
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

class StableDiffusionPipeline {
 public:
  // Errors as load_components(). dtype: kFloat, kBFloat16 or kHalf.
  static std::unique_ptr<StableDiffusionPipeline> load(const ModelFiles& files,
                                                       at::ScalarType dtype, at::Device device);
  static std::unique_ptr<StableDiffusionPipeline> from_folder(const std::filesystem::path& folder,
                                                              at::ScalarType dtype,
                                                              at::Device device);

  // Usage for contradictory options, BadInput for an unknown scheduler, Cancelled within one step
  // or stage, Unavailable when memory runs out, Internal when a network's output is not finite (the
  // autoencoder's: in float32 either).
  Generation generate(const GenerateRequest& request, const Watch& watch = {}) const;

  Components& components() { return parts_; }
  const Components& components() const { return parts_; }

 private:
  struct Run;
  StableDiffusionPipeline(Components parts, at::ScalarType dtype, at::Device device);
  void run(const GenerateRequest& request, Run& run, const Watch& watch, Generation& result) const;
  Generation once(const GenerateRequest& request, const at::Tensor& first_pass,
                  const Watch& watch) const;
  Generation stages(const GenerateRequest& request, const at::Tensor& first_pass,
                    const Watch& watch, Run& run) const;

  Components parts_;
  at::ScalarType dtype_;
  at::Device device_;
};

}  // namespace affiche::diffusion
