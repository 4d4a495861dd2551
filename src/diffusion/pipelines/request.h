// SPDX-License-Identifier: Apache-2.0
// What a picture is made from. Plain data; names and meanings are those of diffusers' arguments.
#pragma once

#include <array>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "imaging/image.h"

namespace affiche::diffusion {

// A picture that leads the model through the pipeline's ControlNet of the same place.
struct ControlInput {
  Image image;
  std::optional<double> conditioning_scale;  // none: diffusers' default of the pipeline
  double guidance_start = 0;                 // part of the run in which it counts
  double guidance_end = 1;
};

// Pixels, (height, width) as in diffusers.
using Size = std::array<std::int64_t, 2>;

// What Stable Diffusion XL is told of the picture that it was cut from; defaults: the whole of a
// picture of the size that is made.
struct MicroConditions {
  std::optional<Size> original_size, target_size;
  Size crops_coords_top_left = {0, 0};  // top, left
  std::optional<Size> negative_original_size, negative_target_size;
  Size negative_crops_coords_top_left = {0, 0};
  // Of refiners and models with requires_aesthetics_score.
  double aesthetic_score = 6.0, negative_aesthetic_score = 2.5;
};

// What an empty or missing negative prompt means to Stable Diffusion XL. Programs differ.
enum class EmptyNegative {
  Diffusers,  // missing: zeros where the model says so; "": encoded
  Encoded,    // both encoded, as A1111 and ComfyUI do
  Zeros,      // both zeros
};

enum class PromptWeighting {
  None,   // brackets are text
  A1111,  // (more:1.2), (more), [less], escaped \( \); with the mean kept, as A1111 does
};

// A second run over the first one's enlarged picture.
struct HiresPass {
  double scale = 2;  // of both sides; the result is rounded to multiples of 8
  double strength = 0.5;
  std::optional<std::int64_t> num_inference_steps;  // default: as the first run
  std::string upscaler = "lanczos";  // "lanczos", "latent" (bilinear, in latent space)
};

// Pixels by which the canvas grows on each side of the picture.
struct Outpaint {
  std::int64_t left = 0, top = 0, right = 0, bottom = 0;
  std::int64_t overlap = 32;  // of the picture's border that may be painted over, to hide the seam
};

struct GenerateRequest {
  // "txt2img", "img2img", "inpaint", "outpaint", "upscale", "controlnet", "controlnet_img2img",
  // "controlnet_inpaint"; empty: what the other fields ask for.
  std::string task;
  std::vector<std::string> prompts = {""};
  std::vector<std::string> prompts_2;         // the second text encoder's; none: prompts
  std::vector<std::string> negative_prompts;  // none, one for all, or one for each prompt
  std::vector<std::string> negative_prompts_2;
  std::vector<std::string> prompts_3;  // SD3's third text encoder; none: prompts
  std::vector<std::string> negative_prompts_3;
  std::optional<std::int64_t> max_sequence_length;  // of T5, tokens; none: SD3 256, Flux 512
  EmptyNegative empty_negative = EmptyNegative::Diffusers;
  PromptWeighting prompt_weighting = PromptWeighting::None;
  bool long_prompts = false;  // read beyond 77 tokens, in chunks that are encoded one by one
  // One seed: one generator draws for all pictures at once. Several: a generator for each picture.
  std::vector<std::int64_t> seeds = {0};
  std::int64_t num_images_per_prompt = 1;
  std::optional<std::int64_t> num_inference_steps;  // none: diffusers' default of the pipeline
  std::optional<double> guidance_scale;  // likewise; <= 1: no guidance, no negative prompt
  double guidance_rescale = 0;           // arXiv 2305.08891 section 3.4
  double eta = 0;                        // DDIM only
  std::optional<int> clip_skip;          // how many last layers of the text encoder are left out
  std::int64_t height = 0;               // pixels; 0: what the model was trained on
  std::int64_t width = 0;
  std::string scheduler;                                 // name, empty: the model's own
  nlohmann::ordered_json scheduler_config;               // options over the model's own; or null
  std::optional<std::int64_t> original_inference_steps;  // LCM
  MicroConditions micro;

  std::optional<Image> image;      // image-to-image, in-painting, outpainting, upscaling
  std::optional<double> strength;  // none: diffusers' default of the pipeline
  std::optional<Image> mask;       // white is painted anew
  std::optional<std::int64_t> padding_mask_crop;  // paint only around the mask, with this margin
  std::int64_t noise_level = 20;                  // upscaler
  std::optional<Outpaint> outpaint;
  std::optional<HiresPass> hires;

  std::vector<ControlInput> controls;  // one for each ControlNet of the pipeline
  bool guess_mode = false;

  bool vae_tiling = false;   // decode and encode in tiles that overlap, for large pictures
  bool vae_slicing = false;  // decode one picture of a batch at a time
};

}  // namespace affiche::diffusion
