// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/components.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

Json read_json(const std::filesystem::path& file) {
  return parse_json(read_text(file), file.string(), true);
}

// [library, class] of a part; an absent or null part is an error, as nothing of it is optional
// here.
std::string class_of(const Json& index, const std::string& part, const std::string& what) {
  const auto found = index.find(part);
  if (found == index.end() || !found->is_array() || found->size() != 2 ||
      !(*found)[1].is_string()) {
    fail(Cause::BadInput, what, ": \"", part, "\": expected [library, class]");
  }
  return (*found)[1].get<std::string>();
}

void require_class(const Json& index, const std::string& part, const std::string& expected,
                   const std::string& what) {
  const std::string found = class_of(index, part, what);
  if (found != expected) {
    fail(Cause::BadInput, what, ": \"", part, "\": expected ", expected, ", found ", found,
         "; this version runs Stable Diffusion 1.x and 2.x");
  }
}

StateDict read_weights(const std::filesystem::path& folder, const std::string& stem) {
  for (const char* variant : {".safetensors", ".fp16.safetensors"}) {
    const std::filesystem::path file = folder / (stem + variant);
    if (std::filesystem::exists(file)) return load_safetensors(file);
  }
  fail(Cause::BadInput, folder.string(), ": expected ", stem, ".safetensors, found none");
}

template <typename Model, typename Config>
std::unique_ptr<Model> load_part(const std::filesystem::path& folder, const std::string& stem,
                                 at::ScalarType dtype, at::Device device) {
  auto model = std::make_unique<Model>(Config::from_json(read_json(folder / "config.json")));
  model->parameters().load(read_weights(folder, stem), dtype, device, "", folder.string());
  return model;
}

}  // namespace

Components load_components(const std::filesystem::path& folder, at::ScalarType dtype,
                           at::Device device) {
  if (std::filesystem::is_regular_file(folder)) {
    fail(Cause::BadInput, folder.string(),
         ": expected a diffusers folder, found a file; this version does not read single-file "
         "checkpoints");
  }
  if (!std::filesystem::is_directory(folder)) {
    fail(Cause::NotFound, folder.string(), ": expected a diffusers folder, found none");
  }
  if (!std::filesystem::exists(folder / "model_index.json")) {
    fail(Cause::BadInput, folder.string(),
         ": expected a diffusers folder with model_index.json, found none");
  }
  const std::string what = (folder / "model_index.json").string();
  const Json index = read_json(what);
  if (!index.is_object() || index.value("_class_name", "") != "StableDiffusionPipeline") {
    fail(Cause::BadInput, what, ": expected \"_class_name\": \"StableDiffusionPipeline\", found ",
         index.is_object() && index.contains("_class_name") ? index["_class_name"].dump() : "none",
         "; this version runs Stable Diffusion 1.x and 2.x");
  }
  require_class(index, "text_encoder", "CLIPTextModel", what);
  require_class(index, "unet", "UNet2DConditionModel", what);
  require_class(index, "vae", "AutoencoderKL", what);

  Components parts{
      CLIPTokenizer::from_folder(folder / "tokenizer"),
      load_part<CLIPTextModel, CLIPTextConfig>(folder / "text_encoder", "model", dtype, device),
      load_part<UNet2DConditionModel, UNet2DConditionConfig>(
          folder / "unet", "diffusion_pytorch_model", dtype, device),
      load_part<AutoencoderKL, AutoencoderKLConfig>(folder / "vae", "diffusion_pytorch_model",
                                                    dtype, device),
      class_of(index, "scheduler", what),
      read_json(folder / "scheduler" / "scheduler_config.json")};
  if (parts.tokenizer.vocabulary_size() > parts.text_encoder->config().vocab_size) {
    fail(Cause::BadInput, folder.string(), ": the tokenizer has ids up to ",
         parts.tokenizer.vocabulary_size() - 1, ", the text encoder only ",
         parts.text_encoder->config().vocab_size, " of them; the folder mixes two models");
  }
  if (parts.unet->config().cross_attention_dim.front() !=
      parts.text_encoder->config().hidden_size) {
    fail(Cause::BadInput, folder.string(), ": the UNet expects text of width ",
         parts.unet->config().cross_attention_dim.front(), ", the text encoder gives ",
         parts.text_encoder->config().hidden_size);
  }
  return parts;
}

}  // namespace affiche::diffusion
