// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/request_json.h"

#include <charconv>
#include <cmath>
#include <functional>
#include <map>

#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"
#include "diffusion/pipelines/request_fields.h"

namespace affiche::diffusion {
namespace {

struct Reader : RequestFields {
  RequestFile result;
  // Options of ControlNets, one for all or one for each; joined when all keys were read.
  std::vector<double> scales, starts, ends;
  std::vector<std::string> preprocessors;

  GenerateRequest& request() { return result.request; }
  void read_loras(const std::string& key, const Json& value);
  void read_outpaint(const std::string& key, const Json& value);
  void read_hires(const std::string& key, const Json& value);
  void join_controls();
};

void Reader::read_loras(const std::string& key, const Json& value) {
  if (!value.is_array() || value.size() > 64) refuse(key, value, "a list of at most 64 files");
  for (const Json& item : value) {
    if (!item.is_object() || !item.contains("file")) {
      refuse(key, item, "{\"file\": …, \"weight\": …}");
    }
    LoraChoice choice;
    object(key, item, "\"file\", \"weight\" and \"dora_scale\"",
           [&](const std::string& name, const Json& part) {
             if (name == "file") choice.file = path(key + ".file", part);
             if (name == "weight") choice.weight = number(key + ".weight", part);
             if (name == "dora_scale") choice.dora_scale = flag(key + ".dora_scale", part);
             return name == "file" || name == "weight" || name == "dora_scale";
           });
    result.loras.push_back(choice);
  }
}

void Reader::read_outpaint(const std::string& key, const Json& value) {
  Outpaint grow;
  const std::map<std::string, std::int64_t*> sides = {{"left", &grow.left},
                                                      {"top", &grow.top},
                                                      {"right", &grow.right},
                                                      {"bottom", &grow.bottom},
                                                      {"overlap", &grow.overlap}};
  object(key, value, "\"left\", \"top\", \"right\", \"bottom\" and \"overlap\"",
         [&](const std::string& name, const Json& pixels) {
           const auto side = sides.find(name);
           if (side == sides.end()) return false;
           *side->second = integer(key + "." + name, pixels);
           return true;
         });
  request().outpaint = grow;
}

void Reader::read_hires(const std::string& key, const Json& value) {
  HiresPass hires;
  object(key, value, "\"scale\", \"strength\", \"num_inference_steps\" and \"upscaler\"",
         [&](const std::string& name, const Json& part) {
           const std::string whole = key + "." + name;
           if (name == "scale") {
             hires.scale = number(whole, part);
           } else if (name == "strength") {
             hires.strength = number(whole, part);
           } else if (name == "num_inference_steps") {
             hires.num_inference_steps = integer(whole, part);
           } else if (name == "upscaler") {
             hires.upscaler = text(whole, part);
           } else {
             return false;
           }
           return true;
         });
  request().hires = hires;
}

void Reader::join_controls() {
  const std::size_t count = result.pictures.controls.size();
  if (count != result.files.controlnets.size()) {
    fail(Cause::BadInput, what,
         ": expected one \"control\" picture for each \"controlnet\", found ", count, " and ",
         result.files.controlnets.size());
  }
  const auto at = [&](const auto& values, std::size_t i, auto fallback, const char* key) {
    if (values.empty()) return fallback;
    if (values.size() != 1 && values.size() != count) {
      fail(Cause::BadInput, what, ": \"", key, "\": expected one value or one for each of the ",
           count, " ControlNets, found ", values.size());
    }
    return values[values.size() == 1 ? 0 : i];
  };
  for (std::size_t i = 0; i < count; ++i) {
    ControlInput control;
    if (!scales.empty()) {
      control.conditioning_scale = at(scales, i, 1.0, "controlnet_conditioning_scale");
    }
    control.guidance_start = at(starts, i, 0.0, "control_guidance_start");
    control.guidance_end = at(ends, i, 1.0, "control_guidance_end");
    request().controls.push_back(std::move(control));
    const std::string prepare = at(preprocessors, i, std::string("none"), "control_preprocessor");
    if (prepare != "none" && prepare != "canny") {
      refuse("control_preprocessor", prepare, "\"canny\" or \"none\"");
    }
    result.pictures.canny.push_back(prepare == "canny");
  }
}

// The value of a string among names.
template <typename Value>
Value choice(const Reader& reader, const std::string& key, const Json& value,
             const std::map<std::string, Value>& names) {
  const auto found = names.find(reader.text(key, value));
  if (found != names.end()) return found->second;
  std::string expected = "one of";
  for (const auto& [name, unused] : names) expected += " \"" + name + "\"";
  reader.refuse(key, value, expected);
}

using Setter = std::function<void(Reader&, const std::string&, const Json&)>;
using Setters = std::map<std::string, Setter>;

// A key whose value goes straight into a field of the request.
#define FIELD(key, method, field)                                                                  \
  {                                                                                                \
    key,                                                                                           \
        [](Reader& r, const std::string& k, const Json& v) { r.request().field = r.method(k, v); } \
  }
#define PLACE(key, method, place)                                                         \
  {                                                                                       \
    key, [](Reader& r, const std::string& k, const Json& v) { r.place = r.method(k, v); } \
  }

Setters plain_setters() {
  return {FIELD("task", text, task),
          FIELD("prompt_2", texts, prompts_2),
          FIELD("negative_prompt", texts, negative_prompts),
          FIELD("negative_prompt_2", texts, negative_prompts_2),
          FIELD("prompt_3", texts, prompts_3),
          FIELD("negative_prompt_3", texts, negative_prompts_3),
          FIELD("max_sequence_length", integer, max_sequence_length),
          FIELD("long_prompts", flag, long_prompts),
          FIELD("seed", integers, seeds),
          FIELD("num_images_per_prompt", integer, num_images_per_prompt),
          FIELD("num_inference_steps", integer, num_inference_steps),
          FIELD("guidance_scale", number, guidance_scale),
          FIELD("guidance_rescale", number, guidance_rescale),
          FIELD("eta", number, eta),
          FIELD("height", integer, height),
          FIELD("width", integer, width),
          FIELD("scheduler", text, scheduler),
          FIELD("original_inference_steps", integer, original_inference_steps),
          FIELD("original_size", size, micro.original_size),
          FIELD("target_size", size, micro.target_size),
          FIELD("crops_coords_top_left", size, micro.crops_coords_top_left),
          FIELD("negative_original_size", size, micro.negative_original_size),
          FIELD("negative_target_size", size, micro.negative_target_size),
          FIELD("negative_crops_coords_top_left", size, micro.negative_crops_coords_top_left),
          FIELD("aesthetic_score", number, micro.aesthetic_score),
          FIELD("negative_aesthetic_score", number, micro.negative_aesthetic_score),
          FIELD("strength", number, strength),
          FIELD("padding_mask_crop", integer, padding_mask_crop),
          FIELD("noise_level", integer, noise_level),
          FIELD("guess_mode", flag, guess_mode),
          FIELD("vae_tiling", flag, vae_tiling),
          FIELD("vae_slicing", flag, vae_slicing),
          PLACE("model", path, result.files.model),
          PLACE("unet", path, result.files.unet),
          PLACE("vae", path, result.files.vae),
          PLACE("controlnet", paths, result.files.controlnets),
          PLACE("image", path, result.pictures.image),
          PLACE("mask", path, result.pictures.mask),
          PLACE("control", paths, result.pictures.controls),
          PLACE("controlnet_conditioning_scale", numbers, scales),
          PLACE("control_guidance_start", numbers, starts),
          PLACE("control_guidance_end", numbers, ends),
          PLACE("control_preprocessor", texts, preprocessors)};
}

#undef FIELD
#undef PLACE

Setters all_setters() {
  using R = Reader;
  using S = std::string;
  Setters setters = plain_setters();
  setters["prompt"] = [](R& r, const S& k, const Json& v) {
    r.request().prompts = r.texts(k, v);
    r.result.has_prompt = true;
  };
  setters["clip_skip"] = [](R& r, const S& k, const Json& v) {
    const std::int64_t layers = r.integer(k, v);
    if (layers < 0 || layers > 100) r.refuse(k, v, "0 to 100 layers");
    r.request().clip_skip = static_cast<int>(layers);
  };
  setters["scheduler_config"] = [](R& r, const S& k, const Json& v) {
    if (!v.is_object()) r.refuse(k, v, "an object");
    r.request().scheduler_config = v;
  };
  setters["empty_negative_prompt"] = [](R& r, const S& k, const Json& v) {
    r.request().empty_negative = choice<EmptyNegative>(r, k, v,
                                                       {{"diffusers", EmptyNegative::Diffusers},
                                                        {"encoded", EmptyNegative::Encoded},
                                                        {"zeros", EmptyNegative::Zeros}});
  };
  setters["prompt_weighting"] = [](R& r, const S& k, const Json& v) {
    r.request().prompt_weighting = choice<PromptWeighting>(
        r, k, v, {{"none", PromptWeighting::None}, {"a1111", PromptWeighting::A1111}});
  };
  setters["textual_inversion"] = [](R& r, const S&, const Json& v) {
    r.result.textual_inversions = read_textual_inversions(v, r.folder, r.what);
  };
  setters["lora"] = [](R& r, const S& k, const Json& v) { r.read_loras(k, v); };
  setters["outpaint"] = [](R& r, const S& k, const Json& v) { r.read_outpaint(k, v); };
  setters["hires"] = [](R& r, const S& k, const Json& v) { r.read_hires(k, v); };
  return setters;
}

const Setters& setters() {
  static const Setters kSetters = all_setters();
  return kSetters;
}

double control_number(const std::string& text, const std::string& whole) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || !std::isfinite(value)) {
    fail(Cause::Usage, "--control \"", whole,
         "\": expected MODEL:IMG[:SCALE[:START:END]] with numbers, found \"", text, "\"");
  }
  return value;
}

}  // namespace

std::vector<std::string> request_keys() {
  std::vector<std::string> keys;
  for (const auto& [name, unused] : setters()) keys.push_back(name);
  return keys;
}

RequestFile read_request(const Json& json, const std::filesystem::path& folder,
                         const std::string& what) {
  if (!json.is_object()) fail(Cause::BadInput, what, ": expected a JSON object");
  Reader reader{{folder, what}, {}, {}, {}, {}, {}};
  for (const auto& [key, value] : json.items()) {
    const auto setter = setters().find(key);
    if (setter == setters().end()) {
      fail(Cause::BadInput, what, ": unknown key \"", key, "\"", suggestion(key, request_keys()));
    }
    if (!value.is_null()) setter->second(reader, key, value);
  }
  reader.join_controls();
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

void add_control(RequestFile& file, const std::string& text) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  for (std::size_t colon = text.find(':'); colon != std::string::npos;
       colon = text.find(':', begin)) {
    parts.push_back(text.substr(begin, colon - begin));
    begin = colon + 1;
  }
  parts.push_back(text.substr(begin));
  const bool fits = (parts.size() == 2 || parts.size() == 3 || parts.size() == 5) &&
                    !parts[0].empty() && !parts[1].empty();
  if (!fits) {
    fail(Cause::Usage, "--control \"", text, "\": expected MODEL:IMG[:SCALE[:START:END]]");
  }
  ControlInput control;
  if (parts.size() > 2) control.conditioning_scale = control_number(parts[2], text);
  if (parts.size() > 3) {
    control.guidance_start = control_number(parts[3], text);
    control.guidance_end = control_number(parts[4], text);
  }
  file.files.controlnets.push_back(parts[0]);
  file.pictures.controls.push_back(parts[1]);
  file.pictures.canny.push_back(false);
  file.request.controls.push_back(std::move(control));
}

}  // namespace affiche::diffusion
