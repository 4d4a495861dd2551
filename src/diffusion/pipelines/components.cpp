// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/components.h"

#include <ATen/ATen.h>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

constexpr const char* kRuns = "; this version runs Stable Diffusion 1.x and 2.x";

CheckpointPart& part_of(Checkpoint& checkpoint, const std::string& name,
                        const std::string& expected, const std::string& what) {
  const auto found = checkpoint.parts.find(name);
  if (found == checkpoint.parts.end()) {
    fail(Cause::BadInput, what, ": expected the part \"", name, "\", found none");
  }
  if (found->second.class_name != expected) {
    fail(Cause::BadInput, what, ": \"", name, "\": expected ", expected, ", found ",
         found->second.class_name, kRuns);
  }
  return found->second;
}

template <typename Model, typename Config>
std::unique_ptr<Model> build(Checkpoint& checkpoint, const std::string& name,
                             const std::string& class_name, const std::string& what,
                             at::ScalarType dtype, at::Device device) {
  CheckpointPart& part = part_of(checkpoint, name, class_name, what);
  auto model = std::make_unique<Model>(Config::from_json(part.config));
  model->parameters().load(part.weights, dtype, device, "", part.where.string());
  part.weights.clear();  // what was converted need not stay mapped
  return model;
}

}  // namespace

Components load_components(const std::filesystem::path& path, at::ScalarType dtype,
                           at::Device device, const CheckpointOptions& options) {
  Checkpoint checkpoint = open_checkpoint(path, options);
  const std::string what = path.string();
  if (checkpoint.pipeline_class != "StableDiffusionPipeline") {
    fail(Cause::BadInput, what, ": expected a StableDiffusionPipeline, found ",
         checkpoint.pipeline_class, kRuns);
  }
  const auto tokenizer = checkpoint.tokenizers.find("tokenizer");
  const auto scheduler = checkpoint.schedulers.find("scheduler");
  if (tokenizer == checkpoint.tokenizers.end() || scheduler == checkpoint.schedulers.end()) {
    fail(Cause::BadInput, what, ": expected a tokenizer and a scheduler, found not both");
  }
  Components parts{std::move(tokenizer->second),
                   build<CLIPTextModel, CLIPTextConfig>(checkpoint, "text_encoder", "CLIPTextModel",
                                                        what, dtype, device),
                   build<UNet2DConditionModel, UNet2DConditionConfig>(
                       checkpoint, "unet", "UNet2DConditionModel", what, dtype, device),
                   build<AutoencoderKL, AutoencoderKLConfig>(checkpoint, "vae", "AutoencoderKL",
                                                             what, dtype, device),
                   scheduler->second.class_name,
                   scheduler->second.config};
  if (parts.tokenizer.vocabulary_size() > parts.text_encoder->config().vocab_size) {
    fail(Cause::BadInput, what, ": the tokenizer has ids up to ",
         parts.tokenizer.vocabulary_size() - 1, ", the text encoder only ",
         parts.text_encoder->config().vocab_size, " of them; the model mixes two models");
  }
  if (parts.unet->config().cross_attention_dim.front() !=
      parts.text_encoder->config().hidden_size) {
    fail(Cause::BadInput, what, ": the UNet expects text of width ",
         parts.unet->config().cross_attention_dim.front(), ", the text encoder gives ",
         parts.text_encoder->config().hidden_size);
  }
  return parts;
}

}  // namespace affiche::diffusion
