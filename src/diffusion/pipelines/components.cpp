// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/components.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/pipelines/part_loader.h"

namespace affiche::diffusion {
namespace {

namespace fs = std::filesystem;

struct Loader : PartLoader {
  std::unique_ptr<UNet2DConditionModel> unet(const ModelFiles& files) {
    CheckpointPart other;
    if (!files.unet.empty()) {
      other = open_part(files.unet, "UNet2DConditionModel", files.options, config_of("unet"));
    }
    CheckpointPart& source = files.unet.empty() ? part("unet", {"UNet2DConditionModel"}) : other;
    return fill(
        std::make_unique<UNet2DConditionModel>(UNet2DConditionConfig::from_json(source.config)),
        source);
  }
  std::unique_ptr<Autoencoder> vae(const ModelFiles& files) {
    CheckpointPart other;
    if (!files.vae.empty()) other = open_vae(files, config_of("vae"));
    CheckpointPart& source =
        files.vae.empty() ? part("vae", {"AutoencoderKL", "AutoencoderTiny"}) : other;
    return fill(make_autoencoder(source.class_name, source.config), source);
  }
  // What a single file cannot state is taken from the part that it replaces.
  const Json* config_of(const std::string& name) const {
    const auto found = checkpoint.parts.find(name);
    return found == checkpoint.parts.end() ? nullptr : &found->second.config;
  }
  static CheckpointPart open_vae(const ModelFiles& files, const Json* like) {
    // A folder says its class; single files are recognised by their tensors.
    const fs::path config = files.vae / "config.json";
    std::string class_name = "AutoencoderKL";
    if (fs::exists(config)) {
      const Json json = parse_json(read_text(config), config.string(), true);
      if (json.is_object() && json.contains("_class_name") && json["_class_name"].is_string()) {
        class_name = json["_class_name"].get<std::string>();
      }
    }
    return open_part(files.vae, class_name, files.options, like);
  }
  std::unique_ptr<ControlNetModel> controlnet(const fs::path& path,
                                              const CheckpointOptions& options) const {
    CheckpointPart source = open_part(path, "ControlNetModel", options, config_of("unet"));
    return fill(std::make_unique<ControlNetModel>(ControlNetConfig::from_json(source.config)),
                source);
  }
};

// Adds up what the UNet reads and compares it with what the text encoders give.
// "the VAE", and where it came from when that is not the model.
std::string named(const char* part, const fs::path& path) {
  return path.empty() ? concat("the ", part) : concat("the ", part, " ", path.string());
}

void check_fit(const Components& parts, const ModelFiles& files, const PartLoader& loader) {
  const std::string& what = loader.what;
  const auto fits = [&](const CLIPTokenizer& tokenizer, const CLIPTextModel& encoder,
                        const char* name) {
    loader.check_vocabulary(name, tokenizer.vocabulary_size(), encoder.config().vocab_size);
  };
  fits(parts.tokenizer, *parts.text_encoder, "tokenizer");
  std::int64_t width = parts.text_encoder->config().hidden_size;
  if (parts.is_xl()) {
    fits(*parts.tokenizer_2, *parts.text_encoder_2, "tokenizer_2");
    width += parts.text_encoder_2->config().hidden_size;
  }
  const auto reads = [&](std::int64_t expected, const std::string& network) {
    if (expected == width) return;
    fail(Cause::BadInput, what, ": ", network, " expects text of width ", expected,
         ", the text encoder gives ", width, "; they belong to different model families");
  };
  reads(parts.unet->config().cross_attention_dim.front(), named("UNet", files.unet));
  for (std::size_t i = 0; i < parts.controlnets.size(); ++i) {
    reads(parts.controlnets[i]->config().trunk.cross_attention_dim.front(),
          named("ControlNet", files.controlnets[i]));
  }
  const std::int64_t latents = parts.vae->latent_channels();
  if (parts.unet->config().out_channels != latents) {
    fail(Cause::BadInput, what, ": ", named("UNet", files.unet), " makes latents of ",
         parts.unet->config().out_channels, " channels, ", named("VAE", files.vae), " expects ",
         latents, "; they belong to different model families");
  }
}

template <typename Value>
Value flag(const Json& index, const char* key, Value fallback) {
  const auto found = index.find(key);
  if (found == index.end() || found->is_null()) return fallback;
  const bool fits = std::is_same_v<Value, bool> ? found->is_boolean() : found->is_number_integer();
  if (!fits) fail(Cause::BadInput, "model_index.json: \"", key, "\": found ", found->dump());
  return found->get<Value>();
}

// Those with a UNet.
std::vector<std::string> unet_pipeline_classes() {
  return {"LatentConsistencyModelImg2ImgPipeline",
          "LatentConsistencyModelPipeline",
          "StableDiffusionControlNetImg2ImgPipeline",
          "StableDiffusionControlNetInpaintPipeline",
          "StableDiffusionControlNetPipeline",
          "StableDiffusionImg2ImgPipeline",
          "StableDiffusionInpaintPipeline",
          "StableDiffusionPipeline",
          "StableDiffusionUpscalePipeline",
          "StableDiffusionXLControlNetImg2ImgPipeline",
          "StableDiffusionXLControlNetInpaintPipeline",
          "StableDiffusionXLControlNetPipeline",
          "StableDiffusionXLImg2ImgPipeline",
          "StableDiffusionXLInpaintPipeline",
          "StableDiffusionXLPipeline"};
}

}  // namespace

std::vector<std::string> pipeline_classes() {
  std::vector<std::string> classes = unet_pipeline_classes();
  classes.insert(classes.end(), {"FluxPipeline", "StableDiffusion3Pipeline"});
  std::sort(classes.begin(), classes.end());
  return classes;
}

Components load_components(const ModelFiles& files, at::ScalarType dtype, at::Device device) {
  return load_components(open_checkpoint(files.model, files.options), files, dtype, device);
}

Components load_components(Checkpoint checkpoint_of_model, const ModelFiles& files,
                           at::ScalarType dtype, at::Device device) {
  Loader loader{{std::move(checkpoint_of_model), files.model.string(), dtype, device}};
  const Checkpoint& checkpoint = loader.checkpoint;
  const std::vector<std::string> classes = unet_pipeline_classes();
  if (std::find(classes.begin(), classes.end(), checkpoint.pipeline_class) == classes.end()) {
    fail(Cause::BadInput, loader.what,
         ": expected a model of the families Stable Diffusion 1.x, 2.x or XL, found a ",
         checkpoint.pipeline_class);
  }
  const bool xl = checkpoint.pipeline_class.starts_with("StableDiffusionXL");
  Components parts{checkpoint.pipeline_class,
                   loader.tokenizer("tokenizer"),
                   loader.text_encoder("text_encoder", {"CLIPTextModel"}),
                   std::nullopt,
                   nullptr,
                   loader.unet(files),
                   loader.vae(files),
                   {},
                   loader.scheduler(),
                   std::nullopt,
                   true,
                   false,
                   350,
                   checkpoint.warnings};
  if (xl) {
    parts.tokenizer_2 = loader.tokenizer("tokenizer_2");
    parts.text_encoder_2 = loader.text_encoder("text_encoder_2", {"CLIPTextModelWithProjection"});
  }
  const auto low_res = checkpoint.schedulers.find("low_res_scheduler");
  if (low_res != checkpoint.schedulers.end()) parts.low_res_scheduler = low_res->second;
  parts.force_zeros_for_empty_prompt = flag(checkpoint.index, "force_zeros_for_empty_prompt", true);
  parts.requires_aesthetics_score = flag(checkpoint.index, "requires_aesthetics_score", false);
  parts.max_noise_level = flag(checkpoint.index, "max_noise_level", std::int64_t{350});
  for (const fs::path& path : files.controlnets) {
    parts.controlnets.push_back(loader.controlnet(path, files.options));
  }
  check_fit(parts, files, loader);
  return parts;
}

}  // namespace affiche::diffusion
