// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/flux.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "diffusion/pipelines/prompt_lists.h"
#include "diffusion/pipelines/transformer_parts.h"
#include "diffusion/schedulers/noise_schedule.h"

namespace affiche::diffusion {
namespace {

constexpr std::int64_t kPatch = 2;            // latents per token, in each direction
constexpr std::int64_t kDefaultSample = 128;  // latents: 1024 pixels

}  // namespace

std::unique_ptr<Pipeline> FluxPipeline::load(Checkpoint checkpoint, const ModelFiles& files,
                                             at::ScalarType dtype, at::Device device) {
  refuse_other_parts(files, kClass);
  PartLoader loader{std::move(checkpoint), files.model.string(), dtype, device};
  CheckpointPart& source = loader.part("transformer", {"FluxTransformer2DModel"});
  Parts parts{
      loader.tokenizer("tokenizer"), loader.text_encoder("text_encoder", {"CLIPTextModel"}),
      take_t5_tokenizer(loader, "tokenizer_2"), load_t5(loader, "text_encoder_2"),
      std::make_unique<FluxTransformer2DModel>(FluxTransformer2DConfig::from_json(source.config))};
  parts.transformer = loader.fill(std::move(parts.transformer), source);
  Shared shared{load_vae(loader), loader.scheduler(), loader.checkpoint.warnings, dtype, device};

  const FluxTransformer2DConfig& config = parts.transformer->config();
  loader.check_vocabulary("tokenizer", parts.tokenizer.vocabulary_size(),
                          parts.text_encoder->config().vocab_size);
  loader.check_vocabulary("tokenizer_2", parts.tokenizer_2.vocabulary_size(),
                          parts.text_encoder_2->config().vocab_size);
  check_width(loader, "text_encoder", parts.text_encoder->config().hidden_size, "pooled text",
              config.pooled_projection_dim);
  check_width(loader, "text_encoder_2", parts.text_encoder_2->config().d_model, "text",
              config.joint_attention_dim);
  const std::int64_t packed = shared.vae->latent_channels() * kPatch * kPatch;
  check_width(loader, "the VAE, four by four,", packed, "latents", config.in_channels);
  check_width(loader, "the VAE, four by four,", packed, "to make latents", config.out_channels);
  const Family family{kClass, 3.5, 512, kDefaultSample, kPatch, {"FlowMatchEulerDiscreteScheduler"},
                      true};
  return std::unique_ptr<Pipeline>(new FluxPipeline(std::move(parts), family, std::move(shared)));
}

void FluxPipeline::check(const GenerateRequest& request, std::vector<std::string>& warnings) const {
  if (request.clip_skip) {
    fail(Cause::Usage, "clip_skip: a FluxPipeline reads only CLIP's pooled state; leave it out");
  }
  if (!request.prompts_3.empty() || !request.negative_prompts_3.empty()) {
    fail(Cause::Usage, "prompt_3: a FluxPipeline has two text encoders; leave it out");
  }
  if (!request.negative_prompts.empty() || !request.negative_prompts_2.empty()) {
    warnings.emplace_back(
        "negative_prompt: a FluxPipeline reads none, as in diffusers without "
        "true_cfg_scale");
  }
}

PromptEmbeds FluxPipeline::encode(const GenerateRequest& request, const Plan& plan,
                                  std::vector<std::string>& warnings) const {
  const at::Device device = shared().device;
  const std::size_t length = parts_.tokenizer.model_max_length();
  const at::Tensor pooled =
      parts_.text_encoder
          ->forward(clip_ids(parts_.tokenizer, request.prompts, length, device, warnings))
          .pooled;
  const at::Tensor context = parts_.text_encoder_2->forward(
      t5_ids(parts_.tokenizer_2, second_or(request.prompts_2, request.prompts),
             plan.max_sequence_length, device, warnings));
  PromptEmbeds embeds;
  embeds.prompt_embeds = context.repeat_interleave(request.num_images_per_prompt, 0);
  embeds.pooled_prompt_embeds = pooled.repeat_interleave(request.num_images_per_prompt, 0);
  return embeds;
}

RunOptions FluxPipeline::schedule(const Plan& plan, double mu) const {
  RunOptions options;
  options.mu = mu;
  options.sigmas =
      linspace(1, 1 / static_cast<double>(plan.num_inference_steps), plan.num_inference_steps);
  return options;
}

at::Tensor FluxPipeline::pack(const at::Tensor& latents, const Plan& plan) const {
  const std::int64_t count = latents.size(0), channels = latents.size(1);
  return latents.view({count, channels, plan.rows, kPatch, plan.columns, kPatch})
      .permute({0, 2, 4, 1, 3, 5})
      .reshape({count, plan.rows * plan.columns, channels * kPatch * kPatch});
}

at::Tensor FluxPipeline::unpack(const at::Tensor& latents, const Plan& plan) const {
  const std::int64_t count = latents.size(0), channels = latents.size(2) / (kPatch * kPatch);
  return latents.view({count, plan.rows, plan.columns, channels, kPatch, kPatch})
      .permute({0, 3, 1, 4, 2, 5})
      .reshape({count, channels, plan.rows * kPatch, plan.columns * kPatch});
}

at::Tensor FluxPipeline::predict(const at::Tensor& latents, const at::Tensor& timestep,
                                 const Text& text, const Plan& plan) const {
  FluxTransformer2DModel::Input input;
  input.latents = latents;
  input.rows = plan.rows;
  input.columns = plan.columns;
  input.timestep = timestep.expand({latents.size(0)}).to(latents.scalar_type()) / 1000;
  // The guidance scale is an input of the transformer: one prediction a step.
  if (parts_.transformer->config().guidance_embeds) {
    input.guidance = at::full({latents.size(0)}, plan.guidance_scale,
                              at::TensorOptions().dtype(at::kFloat).device(latents.device()));
  }
  input.context = text.context;
  input.pooled = text.pooled;
  return parts_.transformer->forward(input);
}

}  // namespace affiche::diffusion
