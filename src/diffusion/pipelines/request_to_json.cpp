// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/request_to_json.h"

#include "base/json.h"
#include "diffusion/schedulers/scheduler.h"

namespace affiche::diffusion {
namespace {

// A list of one is written as its value.
template <typename Value>
Json one_or_list(const std::vector<Value>& values) {
  return values.size() == 1 ? Json(values[0]) : Json(values);
}

void put_prompts(Json& json, const GenerateRequest& request) {
  json["prompt"] = one_or_list(request.prompts);
  if (!request.prompts_2.empty()) json["prompt_2"] = one_or_list(request.prompts_2);
  if (!request.negative_prompts.empty()) {
    json["negative_prompt"] = one_or_list(request.negative_prompts);
  }
  if (!request.negative_prompts_2.empty()) {
    json["negative_prompt_2"] = one_or_list(request.negative_prompts_2);
  }
  if (!request.prompts_3.empty()) json["prompt_3"] = one_or_list(request.prompts_3);
  if (!request.negative_prompts_3.empty()) {
    json["negative_prompt_3"] = one_or_list(request.negative_prompts_3);
  }
  if (request.max_sequence_length) json["max_sequence_length"] = *request.max_sequence_length;
  if (request.empty_negative != EmptyNegative::Diffusers) {
    json["empty_negative_prompt"] =
        request.empty_negative == EmptyNegative::Encoded ? "encoded" : "zeros";
  }
  if (request.prompt_weighting == PromptWeighting::A1111) json["prompt_weighting"] = "a1111";
  if (request.long_prompts) json["long_prompts"] = true;
}

void put_micro(Json& json, const GenerateRequest& request) {
  const MicroConditions& micro = request.micro;
  const auto put = [&](const char* key, const std::optional<Size>& size) {
    if (size) json[key] = *size;
  };
  put("original_size", micro.original_size);
  put("target_size", micro.target_size);
  json["crops_coords_top_left"] = micro.crops_coords_top_left;
  put("negative_original_size", micro.negative_original_size);
  put("negative_target_size", micro.negative_target_size);
  json["negative_crops_coords_top_left"] = micro.negative_crops_coords_top_left;
  json["aesthetic_score"] = micro.aesthetic_score;
  json["negative_aesthetic_score"] = micro.negative_aesthetic_score;
}

// The options that the name stands for, over the config that was given or the model's own.
void put_scheduler(Json& json, const GenerateRequest& request, const Pipeline::Traits& model,
                   const Generation& made) {
  json["scheduler"] = made.scheduler;
  Json config = model.scheduler.config.is_object() ? model.scheduler.config : Json::object();
  if (request.scheduler_config.is_object()) config.update(request.scheduler_config);
  if (!request.scheduler.empty()) config.update(scheduler_options(request.scheduler));
  for (const char* key : {"_class_name", "_diffusers_version"}) config.erase(key);
  json["scheduler_config"] = config;
  if (request.original_inference_steps) {
    json["original_inference_steps"] = *request.original_inference_steps;
  }
}

void put_sampling(Json& json, const GenerateRequest& request, const Generation& made) {
  json["seed"] = one_or_list(request.seeds);
  json["num_images_per_prompt"] = request.num_images_per_prompt;
  // Of two passes `made` has the second one's.
  if (request.num_inference_steps) {
    json["num_inference_steps"] = *request.num_inference_steps;
  } else if (!request.hires) {
    json["num_inference_steps"] = made.num_inference_steps;
  }
  json["guidance_scale"] = made.guidance_scale;
  json["guidance_rescale"] = request.guidance_rescale;
  json["eta"] = request.eta;
  if (request.clip_skip) json["clip_skip"] = *request.clip_skip;
  if (request.height > 0) json["height"] = request.height;
  if (request.width > 0) json["width"] = request.width;
  const bool from_text = !request.image && !request.hires && request.controls.empty();
  if (from_text) {
    json["height"] = made.images.size(1);
    json["width"] = made.images.size(2);
  }
}

void put_pictures(Json& json, const RequestFile& file, const Generation& made,
                  const std::function<std::string(const std::filesystem::path&)>& path_text) {
  const GenerateRequest& request = file.request;
  if (request.image) {
    json["image"] = path_text(file.pictures.image);
    if (request.strength || !request.hires) {
      json["strength"] = request.strength.value_or(made.strength);
    }
  }
  if (request.mask) json["mask"] = path_text(file.pictures.mask);
  if (request.padding_mask_crop) json["padding_mask_crop"] = *request.padding_mask_crop;
  if (const auto& grow = request.outpaint) {
    json["outpaint"] = {{"left", grow->left},
                        {"top", grow->top},
                        {"right", grow->right},
                        {"bottom", grow->bottom},
                        {"overlap", grow->overlap}};
  }
  if (const auto& pass = request.hires) {
    json["hires"] = {{"scale", pass->scale},
                     {"strength", pass->strength},
                     {"num_inference_steps",
                      pass->num_inference_steps ? Json(*pass->num_inference_steps) : Json()},
                     {"upscaler", pass->upscaler}};
    if (!pass->num_inference_steps) json["hires"].erase("num_inference_steps");
  }
}

void put_controls(Json& json, const RequestFile& file, const Generation& made,
                  const std::function<std::string(const std::filesystem::path&)>& path_text) {
  const std::vector<ControlInput>& controls = file.request.controls;
  if (controls.empty()) return;
  for (std::size_t i = 0; i < controls.size(); ++i) {
    json["controlnet"].push_back(path_text(file.files.controlnets[i]));
    json["control"].push_back(path_text(file.pictures.controls[i]));
    json["control_preprocessor"].push_back(file.pictures.canny[i] ? "canny" : "none");
    json["controlnet_conditioning_scale"].push_back(
        controls[i].conditioning_scale.value_or(made.conditioning_scale));
    json["control_guidance_start"].push_back(controls[i].guidance_start);
    json["control_guidance_end"].push_back(controls[i].guidance_end);
  }
  json["guess_mode"] = file.request.guess_mode;
}

}  // namespace

Json request_to_json(const RequestFile& file, const Pipeline::Traits& model, const Generation& made,
                     const std::function<std::string(const std::filesystem::path&)>& path_text) {
  const GenerateRequest& request = file.request;
  Json json = Json::object();
  if (!request.task.empty()) json["task"] = request.task;
  json["model"] = path_text(file.files.model);
  if (!file.files.unet.empty()) json["unet"] = path_text(file.files.unet);
  if (!file.files.vae.empty()) json["vae"] = path_text(file.files.vae);
  put_prompts(json, request);
  put_sampling(json, request, made);
  put_scheduler(json, request, model, made);
  if (model.reads_sizes) put_micro(json, request);
  put_pictures(json, file, made, path_text);
  if (model.enlarges) json["noise_level"] = request.noise_level;
  put_controls(json, file, made, path_text);
  for (const LoraChoice& lora : file.loras) {
    Json item = {{"file", path_text(lora.file)}, {"weight", lora.weight}};
    if (lora.dora_scale) item["dora_scale"] = true;
    json["lora"].push_back(item);
  }
  for (const TextualInversionChoice& choice : file.textual_inversions) {
    Json item = {{"file", path_text(choice.file)}};
    if (!choice.token.empty()) item["token"] = choice.token;
    json["textual_inversion"].push_back(item);
  }
  if (request.vae_tiling) json["vae_tiling"] = true;
  if (request.vae_slicing) json["vae_slicing"] = true;
  return json;
}

}  // namespace affiche::diffusion
