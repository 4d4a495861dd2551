// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/stable_diffusion.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "base/error.h"
#include "diffusion/pipelines/adapter_targets.h"
#include "diffusion/pipelines/control.h"
#include "diffusion/pipelines/guidance.h"
#include "diffusion/pipelines/micro_conditions.h"
#include "diffusion/pipelines/out_of_memory.h"
#include "diffusion/pipelines/outpaint.h"
#include "diffusion/pipelines/previews.h"
#include "diffusion/pipelines/prompt_encoding.h"
#include "diffusion/pipelines/start.h"
#include "diffusion/pipelines/vae_latents.h"
#include "diffusion/schedulers/noise.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {
namespace {

using Time = std::chrono::steady_clock;

double seconds_since(Time::time_point start) {
  return std::chrono::duration<double>(Time::now() - start).count();
}

at::Tensor for_caller(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.to(at::kCPU, at::kFloat) : tensor;
}

void require_finite(const at::Tensor& tensor, const char* network, std::int64_t step,
                    at::ScalarType dtype) {
  if (at::isfinite(tensor).all().item<bool>()) return;
  fail(Cause::Internal, "the ", network, "'s output in step ", step,
       " holds values that are not finite; ",
       dtype == at::kFloat ? "its weights are damaged, or the guidance scale is far too high"
                           : "use --dtype fp32");
}

// Both halves of a guided pass see the same.
at::Tensor twice(const at::Tensor& tensor, bool guided) {
  return guided && tensor.defined() ? at::cat({tensor, tensor}) : tensor;
}

at::Tensor halves(const at::Tensor& negative, const at::Tensor& positive) {
  return negative.defined() ? at::cat({negative, positive}) : positive;
}

// The picture that a mask's run works on, and how its result returns to it.
struct Canvas {
  Image picture, mask;
  std::optional<Region> region;
  Image seam;  // empty: the result stands alone
};

Canvas make_mask_canvas(const GenerateRequest& request, const Plan& plan) {
  if (request.outpaint) {
    OutpaintCanvas grown = make_canvas(*request.image, *request.outpaint, plan.width, plan.height);
    return {std::move(grown.picture), std::move(grown.mask), std::nullopt, std::move(grown.seam)};
  }
  Canvas canvas{*request.image, *request.mask, std::nullopt, {}};
  if (!request.padding_mask_crop) return canvas;
  if (canvas.mask.width != canvas.picture.width || canvas.mask.height != canvas.picture.height) {
    fail(Cause::BadInput, "padding_mask_crop: expected a mask of the image's size, ",
         canvas.picture.width, "x", canvas.picture.height, ", found ", canvas.mask.width, "x",
         canvas.mask.height);
  }
  canvas.region = region_around(canvas.mask, plan.width, plan.height, *request.padding_mask_crop);
  canvas.seam = canvas.mask;
  return canvas;
}

at::Tensor lay_over(const Canvas& canvas, const at::Tensor& images) {
  const Region whole{0, 0, canvas.picture.width, canvas.picture.height};
  std::vector<Image> laid;
  for (std::int64_t i = 0; i < images.size(0); ++i) {
    laid.push_back(
        overlay(canvas.picture, canvas.seam, image_at(images, i), canvas.region.value_or(whole)));
  }
  return stack(laid);
}

// The picture of the first pass, enlarged as the second one asks.
at::Tensor enlarge(const Generation& first, const HiresPass& hires, std::int64_t scale) {
  const auto grown = [&](std::int64_t pixels) {
    const double wanted = static_cast<double>(pixels) * hires.scale;
    return std::max<std::int64_t>(scale, std::llround(wanted / static_cast<double>(scale)) * scale);
  };
  const std::int64_t height = grown(first.images.size(1)), width = grown(first.images.size(2));
  if (hires.upscaler == "latent") {
    return at::upsample_bilinear2d(first.latents, {height / scale, width / scale}, false);
  }
  std::vector<at::Tensor> pictures;
  for (std::int64_t i = 0; i < first.images.size(0); ++i) {
    pictures.push_back(to_signed(image_at(first.images, i), Preparation{height, width, scale}));
  }
  return at::cat(pictures);
}

void check_hires(const HiresPass& hires) {
  if (hires.upscaler != "lanczos" && hires.upscaler != "latent") {
    fail(Cause::Usage, "hires: upscaler \"", hires.upscaler,
         "\": expected \"lanczos\" or \"latent\"");
  }
  if (!(hires.scale > 0.1 && hires.scale <= 8)) {
    fail(Cause::Usage, "hires: scale ", hires.scale, ": expected more than 0.1 and at most 8");
  }
}

}  // namespace

struct StableDiffusionPipeline::Run {
  std::string stage = "encoding the text and inputs of";  // for errors
  Plan plan;
  std::unique_ptr<Scheduler> scheduler;
  StepOptions options;
  at::Tensor text;  // the unguided half first
  UNetConditions conditions;
  Start start;
  std::optional<Control> control;
  std::int64_t steps = 0;
};

StableDiffusionPipeline::StableDiffusionPipeline(Components parts, at::ScalarType dtype,
                                                 at::Device device)
    : parts_(std::move(parts)), dtype_(dtype), device_(device) {}

std::unique_ptr<StableDiffusionPipeline> StableDiffusionPipeline::load(const ModelFiles& files,
                                                                       at::ScalarType dtype,
                                                                       at::Device device) {
  return load(open_checkpoint(files.model, files.options), files, dtype, device);
}

std::unique_ptr<StableDiffusionPipeline> StableDiffusionPipeline::load(Checkpoint checkpoint,
                                                                       const ModelFiles& files,
                                                                       at::ScalarType dtype,
                                                                       at::Device device) {
  try {
    return std::unique_ptr<StableDiffusionPipeline>(new StableDiffusionPipeline(
        load_components(std::move(checkpoint), files, dtype, device), dtype, device));
  } catch (...) {
    rethrow_out_of_memory(concat("loading ", files.model.string()),
                          "take --dtype bf16, which needs half of fp32, or free some");
  }
}

std::unique_ptr<StableDiffusionPipeline> StableDiffusionPipeline::from_folder(
    const std::filesystem::path& folder, at::ScalarType dtype, at::Device device) {
  ModelFiles files;
  files.model = folder;
  return load(files, dtype, device);
}

std::vector<AdapterTarget> StableDiffusionPipeline::adapter_targets() {
  return diffusion::adapter_targets(parts_);
}

std::vector<std::string> StableDiffusionPipeline::apply_textual_inversions(
    const std::vector<TextualInversionChoice>& choices, const CheckpointOptions& options) {
  return diffusion::apply_textual_inversions(parts_, choices, options);
}

Generation StableDiffusionPipeline::generate(const GenerateRequest& request,
                                             const Watch& watch) const {
  const c10::InferenceMode inference;
  if (!request.hires) return once(request, {}, watch);
  check_hires(*request.hires);
  GenerateRequest second = request;
  second.hires.reset();
  second.num_inference_steps = request.hires->num_inference_steps;
  if (!second.num_inference_steps) second.num_inference_steps = request.num_inference_steps;
  second.strength = request.hires->strength;
  second.task.clear();
  GenerateRequest first = request;
  first.hires.reset();
  const Generation small = once(first, {}, watch);
  Generation large = once(second, enlarge(small, *request.hires, parts_.vae->scale()), watch);
  large.vae_in_float32 = large.vae_in_float32 || small.vae_in_float32;
  for (const std::string& warning : small.warnings) {
    const auto end = large.warnings.end();
    if (std::find(large.warnings.begin(), end, warning) == end) large.warnings.push_back(warning);
  }
  large.encode_seconds += small.encode_seconds;
  large.decode_seconds += small.decode_seconds;
  large.step_seconds.insert(large.step_seconds.begin(), small.step_seconds.begin(),
                            small.step_seconds.end());
  return large;
}

// `first_pass`: pictures or latents that take the place of the request's image; undefined: none.
Generation StableDiffusionPipeline::once(const GenerateRequest& request,
                                         const at::Tensor& first_pass, const Watch& watch) const {
  check_cancelled(watch, "the text encoder");
  Run run;
  run.plan = make_plan(request, parts_, first_pass);
  try {
    return stages(request, first_pass, watch, run);
  } catch (...) {
    rethrow_out_of_memory(concat(run.stage, " ", run.plan.pictures,
                                 run.plan.pictures == 1 ? " picture of " : " pictures of ",
                                 run.plan.width, "x", run.plan.height),
                          "take a smaller size, fewer pictures at once, --dtype bf16 or "
                          "vae_tiling, or free some");
  }
}

Generation StableDiffusionPipeline::stages(const GenerateRequest& request,
                                           const at::Tensor& first_pass, const Watch& watch,
                                           Run& run) const {
  const Plan& plan = run.plan;
  // As from_config(pipeline.scheduler.config, **options).
  nlohmann::ordered_json config = parts_.scheduler.config;
  if (config.is_null()) config = nlohmann::ordered_json::object();
  if (request.scheduler_config.is_object()) config.update(request.scheduler_config);
  run.scheduler = make_scheduler(
      request.scheduler.empty() ? parts_.scheduler.class_name : request.scheduler, config);

  Generation result;
  result.scheduler = run.scheduler->class_name();
  result.num_inference_steps = plan.num_inference_steps;
  result.guidance_scale = plan.guidance_scale;
  result.strength = plan.strength;
  result.conditioning_scale = plan.conditioning_scale;
  result.warnings = parts_.warnings;
  result.warnings.insert(result.warnings.end(), plan.warnings.begin(), plan.warnings.end());

  Time::time_point start = Time::now();
  const PromptEmbeds embeds =
      encode_prompts(parts_, request, plan.guided, device_, result.warnings);
  result.prompt_embeds = for_caller(embeds.prompt_embeds);
  result.negative_prompt_embeds = for_caller(embeds.negative_prompt_embeds);
  result.pooled_prompt_embeds = for_caller(embeds.pooled_prompt_embeds);
  result.negative_pooled_prompt_embeds = for_caller(embeds.negative_pooled_prompt_embeds);
  run.text = halves(embeds.negative_prompt_embeds, embeds.prompt_embeds);
  const bool from_picture = plan.start != Plan::Start::Noise;
  if (parts_.is_xl()) {
    run.conditions.text_embeds =
        halves(embeds.negative_pooled_prompt_embeds, embeds.pooled_prompt_embeds);
    run.conditions.time_ids = add_time_ids(parts_, request.micro, {plan.height, plan.width},
                                           from_picture, plan.guided, plan.pictures)
                                  .to(device_, dtype_);
  }
  if (parts_.is_lcm()) {
    run.conditions.timestep_cond =
        guidance_scale_embedding(plan.guidance_scale, parts_.unet->config().time_cond_proj_dim)
            .repeat({plan.pictures, 1})
            .to(device_, dtype_);
  }

  RunOptions options;
  options.original_inference_steps = request.original_inference_steps;
  if (parts_.pipeline_class.starts_with("LatentConsistencyModel")) options.strength = plan.strength;
  run.scheduler->set_timesteps(plan.num_inference_steps, options);
  run.options.eta = request.eta;
  for (const std::int64_t seed : request.seeds) {
    run.options.generators.push_back(seeded(static_cast<std::uint64_t>(seed)));
  }
  const StartContext context{parts_, request, plan, *run.scheduler, run.options.generators,
                             dtype_, device_};
  std::optional<Canvas> canvas;
  if (plan.start == Plan::Start::Mask) canvas = make_mask_canvas(request, plan);
  if (plan.controlled) {
    run.control.emplace(parts_, request, plan, canvas ? canvas->region : std::nullopt, dtype_,
                        device_);
  }
  if (plan.start == Plan::Start::Noise) {
    run.start = start_from_noise(context);
  } else if (plan.start == Plan::Start::SmallPicture) {
    run.start = start_from_small_picture(context);
  } else if (canvas) {
    run.start = start_from_mask(context, canvas->picture, canvas->mask, canvas->region);
  } else if (!first_pass.defined()) {
    const Preparation how{plan.height, plan.width, parts_.vae->scale()};
    run.start = start_from_picture(context, to_signed(*request.image, how));
  } else if (first_pass.size(1) == parts_.vae->in_channels()) {
    run.start = start_from_picture(context, first_pass);
  } else {
    run.start = start_from_latents(context, first_pass.to(device_, dtype_));
  }
  run.conditions.class_labels = twice(run.start.class_labels, plan.guided);
  run.start.extra_channels = twice(run.start.extra_channels, plan.guided);
  result.encode_seconds = seconds_since(start);

  this->run(request, run, watch, result);

  start = Time::now();
  run.stage = "decoding";
  check_cancelled(watch, "the decoder");
  Decoded decoded = decode_latents(*parts_.vae, result.latents.to(device_, dtype_),
                                   {request.vae_slicing, request.vae_tiling, 0});
  result.decoded = std::move(decoded.pictures);
  result.vae_in_float32 = decoded.in_float32;
  if (decoded.in_float32) {
    result.warnings.push_back(concat("the autoencoder overflowed in ", c10::toString(dtype_),
                                     "; its pictures were decoded again in float32"));
  }
  result.images = to_bytes(result.decoded);
  if (canvas && !canvas->seam.empty()) result.images = lay_over(*canvas, result.images);
  result.decode_seconds = seconds_since(start);
  return result;
}

void StableDiffusionPipeline::run(const GenerateRequest& request, Run& run, const Watch& watch,
                                  Generation& result) const {
  const at::Tensor all = run.scheduler->timesteps();
  result.timesteps = all.slice(0, static_cast<std::int64_t>(run.start.begin));
  run.steps = result.timesteps.numel();
  at::Tensor latents = run.start.latents;
  Previews previews(watch, *parts_.vae, false, result.warnings);
  run.stage = "denoising";
  result.initial = for_caller(latents);
  for (std::int64_t i = 0; i < run.steps; ++i) {
    check_cancelled(watch, concat("step ", i + 1, " of ", run.steps));
    const Time::time_point start = Time::now();
    const at::Tensor timestep = result.timesteps[i];
    const at::Tensor scaled = run.scheduler->scale_model_input(latents);
    const at::Tensor input = twice(scaled, run.plan.guided);
    if (run.control) {
      run.control->add_to(run.conditions, i, run.steps, input, timestep, run.text);
    }
    at::Tensor prediction = parts_.unet->forward(
        run.start.extra_channels.defined() ? at::cat({input, run.start.extra_channels}, 1) : input,
        timestep, run.text, run.conditions);
    require_finite(prediction, "UNet", i + 1, dtype_);
    if (run.plan.guided) {
      prediction = guide(prediction, run.plan.guidance_scale, request.guidance_rescale);
    }
    latents = run.scheduler->step(prediction, latents, run.options);
    if (run.start.kept) {
      const Kept& kept = *run.start.kept;
      at::Tensor original = kept.latents;
      if (i + 1 < run.steps) {
        original =
            run.scheduler->add_noise(original, kept.noise, result.timesteps.slice(0, i + 1, i + 2));
      }
      latents = (1 - kept.mask) * original + kept.mask * latents;
    }
    result.step_seconds.push_back(seconds_since(start));
    if (watch.step) watch.step(i + 1, run.steps, latents);
    if (i + 1 < run.steps) previews.show(i + 1, run.steps, latents);
  }
  require_finite(latents, "scheduler", run.steps, dtype_);
  result.latents = for_caller(latents);
}

}  // namespace affiche::diffusion
