// SPDX-License-Identifier: Apache-2.0
// A recipe in the words of A1111's web UI.
#include <algorithm>
#include <charconv>
#include <filesystem>

#include "base/error.h"
#include "base/json.h"
#include "recipes/picture_recipe.h"

namespace affiche::recipes {
namespace {

// The value of a key that may be missing or null.
const Json* find(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found == json.end() || found->is_null() ? nullptr : &*found;
}

// A text, or the one of a list that belongs to `index`; of a shorter list the last.
std::string text_at(const Json& recipe, const char* key, std::size_t index) {
  const Json* value = find(recipe, key);
  if (value != nullptr && value->is_array()) {
    value = value->empty() ? nullptr : &(*value)[std::min(index, value->size() - 1)];
  }
  return value != nullptr && value->is_string() ? value->get<std::string>() : "";
}

std::string number_text(const Json& value) {
  if (value.is_number_integer()) return value.dump();
  if (!value.is_number()) return "";
  char digits[32];
  const auto end = std::to_chars(digits, digits + sizeof digits, value.get<double>()).ptr;
  return {digits, end};
}

bool is_true(const Json& json, const char* key) {
  const Json* value = find(json, key);
  return value != nullptr && value->is_boolean() && value->get<bool>();
}

std::string multistep_name(const Json& config) {
  const Json* order = find(config, "solver_order");
  const bool third = order != nullptr && *order == 3;
  const bool sde = text_at(config, "algorithm_type", 0).starts_with("sde");
  return concat("DPM++ ", third ? "3M" : "2M", sde ? " SDE" : "");
}

std::string sampler_name(const std::string& scheduler, const Json& config) {
  static const std::pair<const char*, const char*> kNames[] = {
      {"DDIMScheduler", "DDIM"},
      {"DDPMScheduler", "DDPM"},
      {"DEISMultistepScheduler", "DEIS"},
      {"DPMSolverSDEScheduler", "DPM++ SDE"},
      {"DPMSolverSinglestepScheduler", "DPM++ 2S"},
      {"EulerAncestralDiscreteScheduler", "Euler a"},
      {"EulerDiscreteScheduler", "Euler"},
      {"HeunDiscreteScheduler", "Heun"},
      {"KDPM2AncestralDiscreteScheduler", "DPM2 a"},
      {"KDPM2DiscreteScheduler", "DPM2"},
      {"LCMScheduler", "LCM"},
      {"LMSDiscreteScheduler", "LMS"},
      {"PNDMScheduler", "PLMS"},
      {"TCDScheduler", "TCD"},
      {"UniPCMultistepScheduler", "UniPC"}};
  if (scheduler == "DPMSolverMultistepScheduler") return multistep_name(config);
  for (const auto& [class_name, name] : kNames) {
    if (scheduler == class_name) return name;
  }
  return scheduler;
}

std::string schedule_type(const Json& config) {
  if (is_true(config, "use_karras_sigmas")) return "Karras";
  if (is_true(config, "use_exponential_sigmas")) return "Exponential";
  if (is_true(config, "use_beta_sigmas")) return "Beta";
  const std::string spacing = text_at(config, "timestep_spacing", 0);
  return spacing == "trailing" ? "SGM Uniform" : spacing == "linspace" ? "Uniform" : "";
}

std::string stem(const std::string& path) {
  const std::filesystem::path name = std::filesystem::path(path).filename();
  const std::string ending = name.extension();
  const bool known = ending == ".safetensors" || ending == ".ckpt" || ending == ".gguf" ||
                     ending == ".pt" || ending == ".bin";
  return known ? name.stem().string() : name.string();
}

// The first ten digits, as the web UI shows them; of a folder those of its UNet.
std::string short_hash(const Json& recipe, const std::string& role, const std::string& path) {
  std::string found;
  for (const Json& file : recipe.at("made_with").at("files")) {
    if (file.at("role") != role || file.at("path") != path) continue;
    const std::string name = file.at("file").get<std::string>();
    const bool weights = name.ends_with(".safetensors") && name.starts_with("unet/");
    if (found.empty() || weights) found = file.at("sha256").get<std::string>().substr(0, 10);
  }
  return found;
}

struct Fields {
  Parameters& parameters;
  const Json& recipe;

  void add(const char* name, const std::string& value) {
    if (!value.empty()) parameters.fields.emplace_back(name, value);
  }
  void number(const char* name, const char* key) {
    if (const Json* value = find(recipe, key)) add(name, number_text(*value));
  }
  void hires() {
    const Json* pass = find(recipe, "hires");
    if (pass == nullptr) return;
    for (const auto& [name, key] : {std::pair{"Denoising strength", "strength"},
                                    {"Hires upscale", "scale"},
                                    {"Hires steps", "num_inference_steps"}}) {
      if (const Json* value = find(*pass, key)) add(name, number_text(*value));
    }
    add("Hires upscaler", text_at(*pass, "upscaler", 0));
  }
  // The tags go into the prompt, where the web UI looks for them.
  void loras() {
    const Json* list = find(recipe, "lora");
    if (list == nullptr) return;
    std::string hashes;
    for (const Json& lora : *list) {
      const std::string path = text_at(lora, "file", 0);
      const Json* weight = find(lora, "weight");
      parameters.prompt += concat(parameters.prompt.empty() ? "" : " ", "<lora:", stem(path), ":",
                                  weight != nullptr ? number_text(*weight) : "1", ">");
      const std::string hash = short_hash(recipe, "lora", path);
      if (!hash.empty()) hashes += concat(hashes.empty() ? "" : ", ", stem(path), ": ", hash);
    }
    add("Lora hashes", hashes);
  }
};

}  // namespace

Parameters parameters_of(const Json& recipe) {
  const Json& made = recipe.at("made_with");
  const auto picture = made.at("picture").get<std::size_t>();
  const Json* each = find(recipe, "num_images_per_prompt");
  const std::size_t count =
      each != nullptr && each->is_number_unsigned() ? each->get<std::size_t>() : 1;
  const std::size_t prompt = picture / std::max<std::size_t>(count, 1);
  Parameters parameters;
  parameters.prompt = text_at(recipe, "prompt", prompt);
  parameters.negative_prompt = text_at(recipe, "negative_prompt", prompt);
  Fields fields{parameters, recipe};
  const Json* config = find(recipe, "scheduler_config");
  const Json none = Json::object();
  fields.number("Steps", "num_inference_steps");
  fields.add("Sampler",
             sampler_name(text_at(recipe, "scheduler", 0), config != nullptr ? *config : none));
  fields.add("Schedule type", schedule_type(config != nullptr ? *config : none));
  fields.number("CFG scale", "guidance_scale");
  const Json* seed = find(recipe, "seed");
  if (seed != nullptr && seed->is_array() && !seed->empty()) {
    seed = &(*seed)[std::min(picture, seed->size() - 1)];
  }
  if (seed != nullptr) fields.add("Seed", number_text(*seed));
  const Json *width = find(recipe, "width"), *height = find(recipe, "height");
  if (width != nullptr && height != nullptr) {
    fields.add("Size", concat(number_text(*width), "x", number_text(*height)));
  }
  const std::string model = text_at(recipe, "model", 0), vae = text_at(recipe, "vae", 0);
  fields.add("Model hash", short_hash(recipe, "model", model));
  fields.add("Model", stem(model));
  fields.add("VAE hash", short_hash(recipe, "vae", vae));
  if (!vae.empty()) fields.add("VAE", stem(vae));
  if (find(recipe, "image") != nullptr) fields.number("Denoising strength", "strength");
  // The web UI counts the last layer as 1.
  const Json* skip = find(recipe, "clip_skip");
  if (skip != nullptr && skip->is_number_integer()) {
    fields.add("Clip skip", std::to_string(skip->get<int>() + 1));
  }
  fields.add("RNG", "CPU");
  fields.hires();
  fields.loras();
  fields.add("Version", concat("affiche ", made.at("affiche").get<std::string>()));
  return parameters;
}

}  // namespace affiche::recipes
