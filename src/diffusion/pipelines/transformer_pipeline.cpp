// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/transformer_pipeline.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "diffusion/pipelines/out_of_memory.h"
#include "diffusion/pipelines/pictures.h"
#include "diffusion/pipelines/plan.h"
#include "diffusion/pipelines/previews.h"
#include "diffusion/pipelines/vae_latents.h"
#include "diffusion/schedulers/noise.h"

namespace affiche::diffusion {
namespace {

using Time = std::chrono::steady_clock;

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
}

at::Tensor for_caller(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.to(at::kCPU, at::kFloat) : tensor;
}

at::Tensor halves(const at::Tensor& negative, const at::Tensor& positive) {
  return negative.defined() ? at::cat({negative, positive}) : positive;
}

void require_finite(const at::Tensor& tensor, const char* network, at::ScalarType dtype) {
  if (at::isfinite(tensor).all().item<bool>()) return;
  fail(Cause::Internal, "the ", network, "'s output in ", c10::toString(dtype),
       " holds values that are not finite; ",
       dtype == at::kHalf ? "use --dtype bf16 or fp32" : "its weights are damaged");
}

// What only pipelines with a UNet do.
void refuse_other_options(const GenerateRequest& request, const char* pipeline_class) {
  const GenerateRequest plain;
  const MicroConditions& micro = request.micro;
  const std::pair<const char*, bool> options[] = {
      {"task", !request.task.empty() && request.task != "txt2img"},
      {"image", request.image.has_value()},
      {"mask", request.mask.has_value()},
      {"strength", request.strength.has_value()},
      {"padding_mask_crop", request.padding_mask_crop.has_value()},
      {"outpaint", request.outpaint.has_value()},
      {"hires", request.hires.has_value()},
      {"control", !request.controls.empty()},
      {"guess_mode", request.guess_mode},
      {"noise_level", request.noise_level != plain.noise_level},
      {"eta", request.eta != 0},
      {"guidance_rescale", request.guidance_rescale != 0},
      {"long_prompts", request.long_prompts},
      {"prompt_weighting", request.prompt_weighting != PromptWeighting::None},
      {"empty_negative_prompt", request.empty_negative != EmptyNegative::Diffusers},
      {"original_inference_steps", request.original_inference_steps.has_value()},
      {"original_size", micro.original_size.has_value()},
      {"target_size", micro.target_size.has_value()},
      {"crops_coords_top_left", micro.crops_coords_top_left != plain.micro.crops_coords_top_left},
      {"negative_original_size", micro.negative_original_size.has_value()},
      {"negative_target_size", micro.negative_target_size.has_value()},
      {"negative_crops_coords_top_left",
       micro.negative_crops_coords_top_left != plain.micro.negative_crops_coords_top_left},
      {"aesthetic_score", micro.aesthetic_score != plain.micro.aesthetic_score},
      {"negative_aesthetic_score",
       micro.negative_aesthetic_score != plain.micro.negative_aesthetic_score}};
  for (const auto& [name, given] : options) {
    if (!given) continue;
    fail(Cause::Usage, name, ": a ", pipeline_class,
         " makes pictures from text alone and does not take it; leave it out");
  }
}

double number_or(const nlohmann::ordered_json& config, const char* key, double fallback) {
  const auto found = config.find(key);
  if (found == config.end() || found->is_null()) return fallback;
  if (found->is_number() && std::isfinite(found->get<double>())) return found->get<double>();
  fail(Cause::BadInput, "scheduler config: \"", key, "\": expected a number, found ",
       found->dump().substr(0, 80));
}

// The shift that belongs to a picture of so many tokens: a line between two that the config names
// (diffusers' calculate_shift).
double shift_for(std::int64_t tokens, const nlohmann::ordered_json& config) {
  const double base_tokens = number_or(config, "base_image_seq_len", 256);
  const double most_tokens = number_or(config, "max_image_seq_len", 4096);
  const double base = number_or(config, "base_shift", 0.5);
  const double most = number_or(config, "max_shift", 1.15);
  if (most_tokens == base_tokens) {
    fail(Cause::BadInput, "scheduler config: \"max_image_seq_len\": expected another value than ",
         "\"base_image_seq_len\", found ", most_tokens);
  }
  const double slope = (most - base) / (most_tokens - base_tokens);
  return static_cast<double>(tokens) * slope + (base - slope * base_tokens);
}

std::string one_of(const std::vector<std::string>& names) {
  std::string text = names.front();
  for (std::size_t i = 1; i < names.size(); ++i) text += " or " + names[i];
  return text;
}

}  // namespace

TransformerPipeline::Plan TransformerPipeline::make_plan(const GenerateRequest& request,
                                                         std::vector<std::string>& warnings) const {
  refuse_other_options(request, family_.pipeline_class);
  check(request, warnings);
  Plan plan;
  plan.pictures = count_pictures(request);
  plan.num_inference_steps = request.num_inference_steps.value_or(plan.num_inference_steps);
  if (plan.num_inference_steps < 1 || plan.num_inference_steps > 1000) {
    fail(Cause::Usage, "num_inference_steps ", plan.num_inference_steps, ": expected 1 to 1000");
  }
  plan.guidance_scale = request.guidance_scale.value_or(family_.guidance_scale);
  if (!std::isfinite(plan.guidance_scale)) fail(Cause::Usage, "guidance_scale: not a number");
  plan.max_sequence_length = request.max_sequence_length.value_or(family_.max_sequence_length);
  if (plan.max_sequence_length < 1 || plan.max_sequence_length > 512) {
    fail(Cause::Usage, "max_sequence_length ", plan.max_sequence_length, ": expected 1 to 512");
  }
  const std::int64_t scale = shared_.vae->scale(), multiple = scale * family_.patch_size;
  const auto fit = [&](std::int64_t asked, const char* name) {
    constexpr std::int64_t kMost = 8192;
    std::int64_t pixels = asked == 0 ? family_.sample_size * scale : asked;
    if (family_.rounds_size && pixels % multiple != 0 && pixels > multiple) {
      pixels -= pixels % multiple;
      warnings.push_back(concat(name, " ", asked, " is no multiple of ", multiple, ": it becomes ",
                                pixels, ", as in diffusers"));
    }
    if (pixels >= multiple && pixels <= kMost && pixels % multiple == 0) return pixels;
    fail(Cause::Usage, name, " ", pixels, ": expected a multiple of ", multiple, " from ", multiple,
         " to ", kMost);
  };
  plan.height = fit(request.height, "height");
  plan.width = fit(request.width, "width");
  plan.rows = plan.height / multiple;
  plan.columns = plan.width / multiple;
  return plan;
}

std::unique_ptr<Scheduler> TransformerPipeline::start_schedule(const GenerateRequest& request,
                                                               const Plan& plan) const {
  const std::string& name =
      request.scheduler.empty() ? shared_.scheduler.class_name : request.scheduler;
  // As from_config(pipeline.scheduler.config, **options).
  nlohmann::ordered_json config = shared_.scheduler.config;
  if (!config.is_object()) config = nlohmann::ordered_json::object();
  if (request.scheduler_config.is_object()) config.update(request.scheduler_config);
  std::unique_ptr<Scheduler> scheduler = make_scheduler(name, config);
  const std::vector<std::string>& known = family_.schedulers;
  if (std::find(known.begin(), known.end(), scheduler->class_name()) == known.end()) {
    fail(Cause::Usage, "scheduler: a ", family_.pipeline_class, " runs with ", one_of(known),
         ", found ", scheduler->class_name());
  }
  scheduler->set_timesteps(plan.num_inference_steps,
                           schedule(plan, shift_for(plan.rows * plan.columns, config)));
  return scheduler;
}

Generation TransformerPipeline::generate(const GenerateRequest& request, const Watch& watch) const {
  const c10::InferenceMode inference;
  check_cancelled(watch, "the text encoders");
  std::vector<std::string> warnings = shared_.warnings;
  const Plan plan = make_plan(request, warnings);
  std::string stage = "encoding the text of";
  try {
    return stages(request, plan, watch, std::move(warnings), stage);
  } catch (...) {
    rethrow_out_of_memory(
        concat(stage, " ", plan.pictures, plan.pictures == 1 ? " picture of " : " pictures of ",
               plan.width, "x", plan.height),
        "take a smaller size, fewer pictures at once, --dtype bf16 or "
        "vae_tiling, or free some");
  }
}

Generation TransformerPipeline::stages(const GenerateRequest& request, const Plan& plan,
                                       const Watch& watch, std::vector<std::string> warnings,
                                       std::string& stage) const {
  Generation result;
  result.warnings = std::move(warnings);
  const std::unique_ptr<Scheduler> scheduler = start_schedule(request, plan);
  result.scheduler = scheduler->class_name();
  result.num_inference_steps = plan.num_inference_steps;
  result.guidance_scale = plan.guidance_scale;

  Time::time_point start = Time::now();
  const PromptEmbeds embeds = encode(request, plan, result.warnings);
  result.prompt_embeds = for_caller(embeds.prompt_embeds);
  result.negative_prompt_embeds = for_caller(embeds.negative_prompt_embeds);
  result.pooled_prompt_embeds = for_caller(embeds.pooled_prompt_embeds);
  result.negative_pooled_prompt_embeds = for_caller(embeds.negative_pooled_prompt_embeds);
  const Text text{halves(embeds.negative_prompt_embeds, embeds.prompt_embeds),
                  halves(embeds.negative_pooled_prompt_embeds, embeds.pooled_prompt_embeds),
                  embeds.negative_prompt_embeds.defined()};
  result.encode_seconds = seconds_since(start);

  StepOptions options;
  for (const std::int64_t seed : request.seeds) {
    options.generators.push_back(seeded(static_cast<std::uint64_t>(seed)));
  }
  const std::int64_t scale = shared_.vae->scale();
  const at::Tensor noise = randn(
      {plan.pictures, shared_.vae->latent_channels(), plan.height / scale, plan.width / scale},
      options.generators, shared_.dtype, shared_.device);
  stage = "denoising";
  run(*scheduler, options, text, plan, pack(noise, plan), watch, result);

  start = Time::now();
  stage = "decoding";
  check_cancelled(watch, "the decoder");
  Decoded decoded =
      decode_latents(*shared_.vae, unpack(result.latents.to(shared_.device, shared_.dtype), plan),
                     {request.vae_slicing, request.vae_tiling, 0}, true);
  result.decoded = std::move(decoded.pictures);
  result.vae_in_float32 = decoded.in_float32;
  if (decoded.in_float32) {
    result.warnings.push_back(concat("the autoencoder overflowed in ", c10::toString(shared_.dtype),
                                     "; its pictures were decoded again in float32"));
  }
  result.images = to_bytes(result.decoded);
  result.decode_seconds = seconds_since(start);
  return result;
}

void TransformerPipeline::run(Scheduler& scheduler, const StepOptions& options, const Text& text,
                              const Plan& plan, at::Tensor latents, const Watch& watch,
                              Generation& result) const {
  result.timesteps = scheduler.timesteps();
  result.initial = for_caller(latents);
  const std::int64_t steps = result.timesteps.numel();
  Previews previews(watch, *shared_.vae, true, result.warnings);
  for (std::int64_t i = 0; i < steps; ++i) {
    check_cancelled(watch, concat("step ", i + 1, " of ", steps));
    const Time::time_point start = Time::now();
    const at::Tensor prediction =
        predict(latents, result.timesteps[i].to(shared_.device), text, plan);
    require_finite(prediction, "transformer", shared_.dtype);
    latents = scheduler.step(prediction, latents, options);
    result.step_seconds.push_back(seconds_since(start));
    if (watch.step) watch.step(i + 1, steps, latents);
    if (i + 1 < steps) previews.show(i + 1, steps, unpack(latents, plan));
  }
  require_finite(latents, "scheduler", shared_.dtype);
  result.latents = for_caller(latents);
}

}  // namespace affiche::diffusion
