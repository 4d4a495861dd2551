// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/stable_diffusion_3.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "diffusion/pipelines/guidance.h"
#include "diffusion/pipelines/prompt_lists.h"
#include "diffusion/pipelines/transformer_parts.h"

namespace affiche::diffusion {
namespace {

// hidden_states[-(clip_skip + 2)], without the final norm.
const at::Tensor& layer(const CLIPTextModel::Output& output, std::optional<int> clip_skip) {
  const auto layers = static_cast<int>(output.hidden_states.size()) - 1;
  const int skip = clip_skip.value_or(0) + 1;
  if (skip > layers) {
    fail(Cause::Usage, "clip_skip ", *clip_skip, ": the text encoder has ", layers,
         " layers; expected at most ", layers - 1);
  }
  return output.hidden_states[static_cast<std::size_t>(layers - skip)];
}

}  // namespace

std::unique_ptr<Pipeline> StableDiffusion3Pipeline::load(Checkpoint checkpoint,
                                                         const ModelFiles& files,
                                                         at::ScalarType dtype, at::Device device) {
  refuse_other_parts(files, kClass);
  PartLoader loader{std::move(checkpoint), files.model.string(), dtype, device};
  CheckpointPart& source = loader.part("transformer", {"SD3Transformer2DModel"});
  Parts parts{
      loader.tokenizer("tokenizer"),
      loader.tokenizer("tokenizer_2"),
      loader.text_encoder("text_encoder", {"CLIPTextModelWithProjection"}),
      loader.text_encoder("text_encoder_2", {"CLIPTextModelWithProjection"}),
      std::nullopt,
      nullptr,
      std::make_unique<SD3Transformer2DModel>(SD3Transformer2DConfig::from_json(source.config))};
  parts.transformer = loader.fill(std::move(parts.transformer), source);
  if (loader.checkpoint.parts.contains("text_encoder_3")) {
    parts.tokenizer_3 = take_t5_tokenizer(loader, "tokenizer_3");
    parts.text_encoder_3 = load_t5(loader, "text_encoder_3");
    loader.check_vocabulary("tokenizer_3", parts.tokenizer_3->vocabulary_size(),
                            parts.text_encoder_3->config().vocab_size);
  }
  Shared shared{load_vae(loader), loader.scheduler(), loader.checkpoint.warnings, dtype, device};

  const SD3Transformer2DConfig& config = parts.transformer->config();
  const CLIPTextConfig &first = parts.text_encoder->config(),
                       &second = parts.text_encoder_2->config();
  loader.check_vocabulary("tokenizer", parts.tokenizer.vocabulary_size(), first.vocab_size);
  loader.check_vocabulary("tokenizer_2", parts.tokenizer_2.vocabulary_size(), second.vocab_size);
  if (parts.text_encoder_3) {
    check_width(loader, "text_encoder_3", parts.text_encoder_3->config().d_model, "text",
                config.joint_attention_dim);
  }
  if (first.hidden_size + second.hidden_size > config.joint_attention_dim) {
    fail(Cause::BadInput, loader.what, ": the transformer expects text of ",
         config.joint_attention_dim, ", the first two text encoders give ",
         first.hidden_size + second.hidden_size, "; they belong to different models");
  }
  check_width(loader, "the first two text encoders' projections",
              first.projection_dim + second.projection_dim, "pooled text",
              config.pooled_projection_dim);
  check_width(loader, "the VAE", shared.vae->latent_channels(), "latents", config.in_channels);
  check_width(loader, "the VAE", shared.vae->latent_channels(), "to make latents",
              config.out_channels);
  const Family family{kClass,
                      7.0,
                      256,
                      config.sample_size,
                      config.patch_size,
                      {"FlowMatchEulerDiscreteScheduler", "FlowMatchHeunDiscreteScheduler"},
                      false};
  return std::unique_ptr<Pipeline>(
      new StableDiffusion3Pipeline(std::move(parts), family, std::move(shared)));
}

std::pair<at::Tensor, at::Tensor> StableDiffusion3Pipeline::encode_side(
    const std::vector<Prompts>& prompts, std::optional<int> clip_skip, const Plan& plan,
    std::vector<std::string>& warnings) const {
  const at::Device device = shared().device;
  // Both tokenizers pad to the length of the first.
  const std::size_t length = parts_.tokenizer.model_max_length();
  const CLIPTextModel::Output first = parts_.text_encoder->forward(
      clip_ids(parts_.tokenizer, prompts[0], length, device, warnings));
  const CLIPTextModel::Output second = parts_.text_encoder_2->forward(
      clip_ids(parts_.tokenizer_2, prompts[1], length, device, warnings));
  const at::Tensor clip = at::cat({layer(first, clip_skip), layer(second, clip_skip)}, -1);
  const std::int64_t width = parts_.transformer->config().joint_attention_dim;
  const at::Tensor t5 =
      parts_.text_encoder_3
          ? parts_.text_encoder_3->forward(
                t5_ids(*parts_.tokenizer_3, prompts[2], plan.max_sequence_length, device, warnings))
          : at::zeros({clip.size(0), plan.max_sequence_length, width}, clip.options());
  const at::Tensor padded = at::constant_pad_nd(clip, {0, width - clip.size(-1)});
  return {at::cat({padded, t5}, 1), at::cat({first.text_embeds, second.text_embeds}, -1)};
}

PromptEmbeds StableDiffusion3Pipeline::encode(const GenerateRequest& request, const Plan& plan,
                                              std::vector<std::string>& warnings) const {
  const std::size_t count = request.prompts.size();
  const auto each = [&](const at::Tensor& tensor) {
    return tensor.repeat_interleave(request.num_images_per_prompt, 0);
  };
  const auto [context, pooled] =
      encode_side({request.prompts, second_or(request.prompts_2, request.prompts),
                   second_or(request.prompts_3, request.prompts)},
                  request.clip_skip, plan, warnings);
  PromptEmbeds embeds;
  embeds.prompt_embeds = each(context);
  embeds.pooled_prompt_embeds = each(pooled);
  if (plan.guidance_scale <= 1) return embeds;
  const Prompts negative = for_each(request.negative_prompts, count);
  // Without clip_skip, as in diffusers.
  const auto [against, against_pooled] =
      encode_side({negative, second_or(request.negative_prompts_2, negative),
                   second_or(request.negative_prompts_3, negative)},
                  std::nullopt, plan, warnings);
  embeds.negative_prompt_embeds = each(against);
  embeds.negative_pooled_prompt_embeds = each(against_pooled);
  return embeds;
}

RunOptions StableDiffusion3Pipeline::schedule(const Plan&, double mu) const {
  RunOptions options;
  options.mu = mu;
  return options;
}

at::Tensor StableDiffusion3Pipeline::predict(const at::Tensor& latents, const at::Tensor& timestep,
                                             const Text& text, const Plan& plan) const {
  const at::Tensor input = text.guided ? at::cat({latents, latents}) : latents;
  const at::Tensor prediction = parts_.transformer->forward(input, timestep.expand({input.size(0)}),
                                                            text.context, text.pooled);
  return text.guided ? guide(prediction, plan.guidance_scale, 0) : prediction;
}

}  // namespace affiche::diffusion
