// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/stable_diffusion.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <chrono>

#include "base/error.h"
#include "diffusion/pipelines/guidance.h"
#include "diffusion/schedulers/noise.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {
namespace {

using Time = std::chrono::steady_clock;

constexpr std::int64_t kSteps = 50;
constexpr double kGuidance = 7.5;

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
}

at::Tensor for_caller(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.to(at::kCPU, at::kFloat) : tensor;
}

void require_finite(const at::Tensor& tensor, const char* network, at::ScalarType dtype) {
  if (at::isfinite(tensor).all().item<bool>()) return;
  fail(Cause::Internal, "the ", network, "'s output in ", c10::toString(dtype),
       " holds values that are not finite; use --dtype fp32");
}

std::int64_t checked_size(std::int64_t size, std::int64_t fallback, std::int64_t scale,
                          const char* name) {
  const std::int64_t pixels = size == 0 ? fallback : size;
  // The upper bound keeps a typing error from asking for hundreds of gigabytes.
  constexpr std::int64_t kMost = 8192;
  if (pixels < scale || pixels > kMost || pixels % scale != 0) {
    fail(Cause::Usage, name, " ", pixels, ": expected a multiple of ", scale, " from ", scale,
         " to ", kMost, size == 0 ? "; the model states no size, so give one" : "");
  }
  return pixels;
}

void check(const GenerateRequest& request) {
  const std::size_t prompts = request.prompts.size();
  const std::size_t negatives = request.negative_prompts.size();
  const std::size_t pictures = prompts * static_cast<std::size_t>(request.num_images_per_prompt);
  if (prompts == 0) fail(Cause::Usage, "prompt: expected at least one");
  if (negatives > 1 && negatives != prompts) {
    fail(Cause::Usage, "negative_prompt: expected none, one or ", prompts, ", found ", negatives);
  }
  if (request.num_images_per_prompt < 1 || pictures > 64) {
    fail(Cause::Usage, "num_images_per_prompt ", request.num_images_per_prompt,
         ": expected 1 to 64 pictures in one request");
  }
  if (request.seeds.size() != 1 && request.seeds.size() != pictures) {
    fail(Cause::Usage, "seed: expected one or ", pictures, ", found ", request.seeds.size());
  }
  const std::int64_t run = request.num_inference_steps.value_or(kSteps);
  if (run < 1 || run > 1000) {
    fail(Cause::Usage, "num_inference_steps ", run, ": expected 1 to 1000");
  }
}

}  // namespace

StableDiffusionPipeline::StableDiffusionPipeline(Components parts, at::ScalarType dtype,
                                                 at::Device device)
    : parts_(std::move(parts)), dtype_(dtype), device_(device) {}

std::unique_ptr<StableDiffusionPipeline> StableDiffusionPipeline::from_folder(
    const std::filesystem::path& folder, at::ScalarType dtype, at::Device device) {
  return std::unique_ptr<StableDiffusionPipeline>(
      new StableDiffusionPipeline(load_components(folder, dtype, device), dtype, device));
}

at::Tensor StableDiffusionPipeline::encode_prompts(const std::vector<std::string>& prompts,
                                                   std::optional<int> clip_skip,
                                                   Generation& result) const {
  const std::size_t length = parts_.tokenizer.model_max_length();
  std::vector<std::int64_t> ids;
  for (const std::string& prompt : prompts) {
    const std::vector<std::int64_t> row = parts_.tokenizer.encode(prompt, length);
    ids.insert(ids.end(), row.begin(), row.end());
    const std::size_t whole = parts_.tokenizer.untruncated_length(prompt);
    if (whole > length) {
      result.warnings.push_back(concat("the prompt \"", prompt.substr(0, 60), "…\" has ", whole,
                                       " tokens; the model reads the first ", length));
    }
  }
  const auto rows = static_cast<std::int64_t>(prompts.size());
  const at::Tensor tokens =
      at::tensor(ids, at::kLong).view({rows, static_cast<std::int64_t>(length)}).to(device_);
  const CLIPTextModel::Output output = parts_.text_encoder->forward(tokens);
  if (!clip_skip) return output.last_hidden_state;
  const auto layers = static_cast<int>(output.hidden_states.size()) - 1;
  if (*clip_skip < 0 || *clip_skip > layers) {
    fail(Cause::Usage, "clip_skip ", *clip_skip, ": expected 0 to ", layers);
  }
  // hidden_states[-(n + 1)], and the final norm on top of it.
  const auto index = static_cast<std::size_t>(layers - *clip_skip);
  return parts_.text_encoder->final_norm(output.hidden_states[index]);
}

StableDiffusionPipeline::Embeds StableDiffusionPipeline::encode(const GenerateRequest& request,
                                                                bool guided,
                                                                Generation& result) const {
  const auto per_picture = [&](const at::Tensor& embeds) {
    return embeds.repeat_interleave(request.num_images_per_prompt, 0);
  };
  Embeds embeds;
  embeds.positive = per_picture(encode_prompts(request.prompts, request.clip_skip, result));
  result.prompt_embeds = for_caller(embeds.positive);
  if (guided) {
    std::vector<std::string> negatives = request.negative_prompts;
    if (negatives.empty()) negatives = {""};
    if (negatives.size() == 1) negatives.resize(request.prompts.size(), negatives[0]);
    // The reference encodes the negative prompt without clip_skip.
    embeds.negative = per_picture(encode_prompts(negatives, std::nullopt, result));
    result.negative_prompt_embeds = for_caller(embeds.negative);
  }
  return embeds;
}

at::Tensor StableDiffusionPipeline::decode(const at::Tensor& latents) const {
  const at::Tensor picture =
      parts_.vae->decode(latents / parts_.vae->config().scaling_factor).to(at::kFloat);
  require_finite(picture, "VAE", dtype_);
  return (picture / 2 + 0.5).clamp(0, 1).to(at::kCPU);
}

Generation StableDiffusionPipeline::generate(const GenerateRequest& request,
                                             const Watch& watch) const {
  const c10::InferenceMode inference;
  check(request);
  const std::int64_t scale = parts_.vae->config().scale();
  const std::int64_t trained = parts_.unet->config().sample_size * scale;
  const std::int64_t height = checked_size(request.height, trained, scale, "height");
  const std::int64_t width = checked_size(request.width, trained, scale, "width");
  const bool guided = request.guidance_scale.value_or(kGuidance) > 1;
  const std::unique_ptr<Scheduler> scheduler = make_scheduler(
      request.scheduler.empty() ? parts_.scheduler : request.scheduler,
      request.scheduler_config.is_null() ? parts_.scheduler_config : request.scheduler_config);

  Generation result;
  result.scheduler = scheduler->class_name();
  Time::time_point start = Time::now();
  const Embeds embeds = encode(request, guided, result);
  const at::Tensor text = guided ? at::cat({embeds.negative, embeds.positive}) : embeds.positive;
  result.encode_seconds = seconds_since(start);

  scheduler->set_timesteps(request.num_inference_steps.value_or(kSteps));
  result.timesteps = scheduler->timesteps();
  StepOptions options;
  options.eta = request.eta;
  for (const std::int64_t seed : request.seeds) {
    options.generators.push_back(seeded(static_cast<std::uint64_t>(seed)));
  }
  const auto pictures =
      static_cast<std::int64_t>(request.prompts.size()) * request.num_images_per_prompt;
  at::Tensor latents =
      randn({pictures, parts_.unet->config().in_channels, height / scale, width / scale},
            options.generators, dtype_, device_) *
      scheduler->init_noise_sigma();
  result.initial = for_caller(latents);

  const std::int64_t steps = result.timesteps.numel();
  for (std::int64_t i = 0; i < steps; ++i) {
    if (watch.cancelled && watch.cancelled()) {
      fail(Cause::Cancelled, "generation stopped before step ", i + 1, " of ", steps);
    }
    start = Time::now();
    const at::Tensor timestep = result.timesteps[i];
    const at::Tensor input = scheduler->scale_model_input(latents);
    at::Tensor prediction =
        parts_.unet->forward(guided ? at::cat({input, input}) : input, timestep, text);
    require_finite(prediction, "UNet", dtype_);
    if (guided)
      prediction =
          guide(prediction, request.guidance_scale.value_or(kGuidance), request.guidance_rescale);
    latents = scheduler->step(prediction, latents, options);
    result.step_seconds.push_back(seconds_since(start));
    if (watch.step) watch.step(i + 1, steps, latents);
  }
  require_finite(latents, "scheduler", dtype_);
  result.latents = for_caller(latents);

  start = Time::now();
  result.decoded = decode(latents);
  result.images = (result.decoded * 255).round().to(at::kByte).permute({0, 2, 3, 1}).contiguous();
  result.decode_seconds = seconds_since(start);
  return result;
}

}  // namespace affiche::diffusion
