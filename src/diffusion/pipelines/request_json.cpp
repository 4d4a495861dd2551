// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/request_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"

namespace affiche::diffusion {
namespace {

constexpr std::size_t kLongestList = 64;

struct Reader {
  std::filesystem::path folder;
  std::string what;
  RequestFile result;

  [[noreturn]] void refuse(const std::string& key, const Json& value,
                           const std::string& expected) const {
    fail(Cause::BadInput, what, ": \"", key, "\": expected ", expected, ", found ",
         value.dump().substr(0, 200));
  }
  std::string text(const std::string& key, const Json& value) const {
    if (!value.is_string()) refuse(key, value, "a string");
    return value.get<std::string>();
  }
  std::vector<std::string> texts(const std::string& key, const Json& value) const {
    if (!value.is_array()) return {text(key, value)};
    if (value.empty() || value.size() > kLongestList) refuse(key, value, "1 to 64 strings");
    std::vector<std::string> all;
    for (const Json& item : value) all.push_back(text(key, item));
    return all;
  }
  std::int64_t integer(const std::string& key, const Json& value) const {
    if (!value.is_number_integer()) refuse(key, value, "a whole number");
    return value.get<std::int64_t>();
  }
  double number(const std::string& key, const Json& value) const {
    if (!value.is_number() || !std::isfinite(value.get<double>())) refuse(key, value, "a number");
    return value.get<double>();
  }
  std::filesystem::path path(const std::string& key, const Json& value) const {
    return folder / text(key, value);
  }
  void read_seeds(const std::string& key, const Json& value);
  void read_loras(const std::string& key, const Json& value);
};

void Reader::read_seeds(const std::string& key, const Json& value) {
  result.request.seeds.clear();
  if (!value.is_array()) {
    result.request.seeds = {integer(key, value)};
    return;
  }
  if (value.empty() || value.size() > kLongestList) refuse(key, value, "1 to 64 seeds");
  for (const Json& item : value) result.request.seeds.push_back(integer(key, item));
}

void Reader::read_loras(const std::string& key, const Json& value) {
  if (!value.is_array() || value.size() > kLongestList) refuse(key, value, "a list of files");
  for (const Json& item : value) {
    if (!item.is_object() || !item.contains("file")) {
      refuse(key, item, "{\"file\": …, \"weight\": …}");
    }
    LoraChoice choice;
    for (const auto& [name, part] : item.items()) {
      if (name == "file") {
        choice.file = path(key + ".file", part);
      } else if (name == "weight") {
        choice.weight = number(key + ".weight", part);
      } else if (name == "dora_scale") {
        if (!part.is_boolean()) refuse(key + ".dora_scale", part, "true or false");
        choice.dora_scale = part.get<bool>();
      } else {
        refuse(key, item, "the keys \"file\", \"weight\" and \"dora_scale\"");
      }
    }
    result.loras.push_back(choice);
  }
}

using Setter = std::function<void(Reader&, const std::string&, const Json&)>;

const std::map<std::string, Setter>& setters() {
  using R = Reader;
  using S = std::string;
  static const std::map<std::string, Setter> kSetters = {
      {"task",
       [](R& r, const S& k, const Json& v) {
         if (r.text(k, v) != "txt2img") {
           r.refuse(k, v, "\"txt2img\", the one task of this version");
         }
       }},
      {"model", [](R& r, const S& k, const Json& v) { r.result.model = r.path(k, v); }},
      {"prompt",
       [](R& r, const S& k, const Json& v) {
         r.result.request.prompts = r.texts(k, v);
         r.result.has_prompt = true;
       }},
      {"negative_prompt",
       [](R& r, const S& k, const Json& v) { r.result.request.negative_prompts = r.texts(k, v); }},
      {"seed", [](R& r, const S& k, const Json& v) { r.read_seeds(k, v); }},
      {"num_inference_steps",
       [](R& r, const S& k, const Json& v) {
         r.result.request.num_inference_steps = r.integer(k, v);
       }},
      {"guidance_scale",
       [](R& r, const S& k, const Json& v) { r.result.request.guidance_scale = r.number(k, v); }},
      {"guidance_rescale",
       [](R& r, const S& k, const Json& v) { r.result.request.guidance_rescale = r.number(k, v); }},
      {"scheduler",
       [](R& r, const S& k, const Json& v) { r.result.request.scheduler = r.text(k, v); }},
      {"scheduler_config",
       [](R& r, const S& k, const Json& v) {
         if (!v.is_object()) r.refuse(k, v, "an object");
         r.result.request.scheduler_config = v;
       }},
      {"height",
       [](R& r, const S& k, const Json& v) { r.result.request.height = r.integer(k, v); }},
      {"width", [](R& r, const S& k, const Json& v) { r.result.request.width = r.integer(k, v); }},
      {"eta", [](R& r, const S& k, const Json& v) { r.result.request.eta = r.number(k, v); }},
      {"clip_skip",
       [](R& r, const S& k, const Json& v) {
         const std::int64_t layers = r.integer(k, v);
         if (layers < 0 || layers > 100) r.refuse(k, v, "0 to 100 layers");
         r.result.request.clip_skip = static_cast<int>(layers);
       }},
      {"num_images_per_prompt",
       [](R& r, const S& k, const Json& v) {
         r.result.request.num_images_per_prompt = r.integer(k, v);
       }},
      {"lora", [](R& r, const S& k, const Json& v) { r.read_loras(k, v); }},
  };
  return kSetters;
}

// Arguments of other tasks and model families: known, so that the message can say so.
const std::map<std::string, std::string>& not_built() {
  static const std::map<std::string, std::string> kKeys = {
      {"prompt_2", "Stable Diffusion XL"},
      {"negative_prompt_2", "Stable Diffusion XL"},
      {"original_size", "Stable Diffusion XL"},
      {"crops_coords_top_left", "Stable Diffusion XL"},
      {"target_size", "Stable Diffusion XL"},
      {"negative_original_size", "Stable Diffusion XL"},
      {"negative_crops_coords_top_left", "Stable Diffusion XL"},
      {"negative_target_size", "Stable Diffusion XL"},
      {"strength", "image-to-image"},
      {"image", "image-to-image"},
      {"mask", "in-painting"},
      {"padding_mask_crop", "in-painting"},
      {"noise_level", "upscaling"},
      {"controlnet", "ControlNet"},
      {"control", "ControlNet"},
      {"controlnet_conditioning_scale", "ControlNet"},
      {"control_guidance_start", "ControlNet"},
      {"control_guidance_end", "ControlNet"},
      {"guess_mode", "ControlNet"},
      {"vae", "a VAE other than the model's own"},
      {"textual_inversion", "textual inversion"},
  };
  return kKeys;
}

}  // namespace

RequestFile read_request(const Json& json, const std::filesystem::path& folder,
                         const std::string& what) {
  if (!json.is_object()) fail(Cause::BadInput, what, ": expected a JSON object");
  Reader reader{folder, what, {}};
  for (const auto& [key, value] : json.items()) {
    const auto setter = setters().find(key);
    const auto later = not_built().find(key);
    if (setter != setters().end()) {
      if (!value.is_null()) setter->second(reader, key, value);
    } else if (later != not_built().end()) {
      if (value.is_null()) continue;
      fail(Cause::BadInput, what, ": \"", key, "\" belongs to ", later->second,
           ", which this version does not run; it makes pictures from text with Stable Diffusion "
           "1.x and 2.x");
    } else {
      std::vector<std::string> known;
      for (const auto& [name, unused] : setters()) known.push_back(name);
      fail(Cause::BadInput, what, ": unknown key \"", key, "\"", suggestion(key, known));
    }
  }
  return reader.result;
}

LoraChoice parse_lora_choice(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0) return {text};
  const std::string_view digits = std::string_view(text).substr(colon + 1);
  // A colon that is part of the name, as in a folder called "a:b/": there is a path behind it.
  if (digits.find('/') != std::string_view::npos) return {text};
  double weight = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), weight);
  if (error != std::errc{} || end != digits.data() + digits.size() || !std::isfinite(weight)) {
    fail(Cause::Usage, "--lora \"", text,
         "\": expected FILE or FILE:WEIGHT with a number, found \"", digits, "\"");
  }
  return {text.substr(0, colon), weight};
}

}  // namespace affiche::diffusion
