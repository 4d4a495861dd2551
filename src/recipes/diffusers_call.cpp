// SPDX-License-Identifier: Apache-2.0
// A diffusers call as JSON: the pipeline's class, what it is loaded from, and the call's arguments,
// flat or nested, under diffusers' names and the spellings that people have for them.
#include <functional>
#include <map>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "recipes/import.h"
#include "recipes/utf.h"
#include "recipes/walk.h"

namespace affiche::recipes {
namespace {

// Taken as they are: the request has them under the same names.
const std::set<std::string>& same_keys() {
  static const std::set<std::string> kKeys = {"aesthetic_score",
                                              "clip_skip",
                                              "control",
                                              "control_guidance_end",
                                              "control_guidance_start",
                                              "control_preprocessor",
                                              "controlnet",
                                              "controlnet_conditioning_scale",
                                              "crops_coords_top_left",
                                              "empty_negative_prompt",
                                              "eta",
                                              "guess_mode",
                                              "guidance_rescale",
                                              "guidance_scale",
                                              "height",
                                              "hires",
                                              "long_prompts",
                                              "mask",
                                              "model",
                                              "negative_aesthetic_score",
                                              "negative_crops_coords_top_left",
                                              "negative_original_size",
                                              "negative_prompt",
                                              "negative_prompt_2",
                                              "negative_target_size",
                                              "noise_level",
                                              "num_images_per_prompt",
                                              "num_inference_steps",
                                              "original_inference_steps",
                                              "original_size",
                                              "outpaint",
                                              "padding_mask_crop",
                                              "prompt",
                                              "prompt_2",
                                              "prompt_weighting",
                                              "seed",
                                              "strength",
                                              "target_size",
                                              "task",
                                              "textual_inversion",
                                              "unet",
                                              "vae",
                                              "vae_slicing",
                                              "vae_tiling",
                                              "width"};
  return kKeys;
}

const std::map<std::string, std::string>& other_spellings() {
  static const std::map<std::string, std::string> kNames = {
      {"cfg", "guidance_scale"},
      {"cfg_scale", "guidance_scale"},
      {"control_image", "control"},
      {"from_single_file", "model"},
      {"mask_image", "mask"},
      {"model_id", "model"},
      {"model_path", "model"},
      {"negative", "negative_prompt"},
      {"num_steps", "num_inference_steps"},
      {"pretrained_model_link_or_path", "model"},
      {"pretrained_model_name_or_path", "model"},
      {"pretrained_model_or_path", "model"},
      {"repo_id", "model"},
      {"steps", "num_inference_steps"},
  };
  return kNames;
}

bool is_neutral(const std::string& key) {
  static const std::set<std::string> kNeutral = {"add_watermarker",
                                                 "cache_dir",
                                                 "callback",
                                                 "callback_on_step_end",
                                                 "callback_on_step_end_tensor_inputs",
                                                 "callback_steps",
                                                 "device_map",
                                                 "disable_mmap",
                                                 "enable_attention_slicing",
                                                 "enable_model_cpu_offload",
                                                 "enable_sequential_cpu_offload",
                                                 "enable_xformers_memory_efficient_attention",
                                                 "feature_extractor",
                                                 "force_download",
                                                 "image_encoder",
                                                 "local_files_only",
                                                 "low_cpu_mem_usage",
                                                 "measured_deviation",
                                                 "name",
                                                 "proxies",
                                                 "requires_safety_checker",
                                                 "return_dict",
                                                 "safety_checker",
                                                 "tensors",
                                                 "token",
                                                 "tolerance",
                                                 "use_auth_token",
                                                 "use_safetensors",
                                                 "variant"};
  return kNeutral.contains(key);
}

bool is_nested(const std::string& key) {
  static const std::set<std::string> kNested = {"args",   "arguments", "call",      "call_kwargs",
                                                "inputs", "kwargs",    "parameters"};
  return kNested.contains(key);
}

class Importer {
 public:
  Importer(const std::string& what, Imported& out) : what_(what), out_(out), r_(out.request) {}

  void run(const Json& call) {
    read_class(call);
    read(call, 0);
    finish();
  }

 private:
  void note(NoteKind kind, const std::string& subject, std::string reason) {
    out_.note(kind, clean_text(subject), std::move(reason));
  }
  [[noreturn]] void refuse(const std::string& key, const char* expected, const Json& found) const {
    fail(Cause::BadInput, what_, ": \"", key, "\": expected ", expected, ", found ", shown(found));
  }

  static const Json* first_of(const Json& json, std::initializer_list<const char*> keys) {
    for (const char* key : keys) {
      const auto found = json.find(key);
      if (found != json.end() && !found->is_null()) return &*found;
    }
    return nullptr;
  }

  // "diffusers.StableDiffusionPipeline.from_pretrained" too.
  void read_class(const Json& call) {
    const Json* name = first_of(call, {"pipeline", "pipeline_class", "_class_name", "class"});
    if (name == nullptr) return;
    if (!name->is_string()) refuse("pipeline", "the name of a class", *name);
    class_ = name->get<std::string>();
    for (const char* suffix : {".from_pretrained", ".from_single_file"}) {
      if (class_.ends_with(suffix)) class_.resize(class_.size() - std::string_view(suffix).size());
    }
    class_ = class_.substr(class_.rfind('.') + 1);
    static const std::set<std::string> kKnown = {"AutoPipelineForImage2Image",
                                                 "AutoPipelineForInpainting",
                                                 "AutoPipelineForText2Image",
                                                 "DiffusionPipeline",
                                                 "LatentConsistencyModelPipeline",
                                                 "StableDiffusionControlNetImg2ImgPipeline",
                                                 "StableDiffusionControlNetInpaintPipeline",
                                                 "StableDiffusionControlNetPipeline",
                                                 "StableDiffusionImg2ImgPipeline",
                                                 "StableDiffusionInpaintPipeline",
                                                 "StableDiffusionPipeline",
                                                 "StableDiffusionUpscalePipeline",
                                                 "StableDiffusionXLControlNetPipeline",
                                                 "StableDiffusionXLImg2ImgPipeline",
                                                 "StableDiffusionXLInpaintPipeline",
                                                 "StableDiffusionXLPipeline"};
    if (!kKnown.contains(class_)) {
      note(NoteKind::NoCounterpart, "pipeline " + class_, "is not known here");
    }
  }

  void read(const Json& object, int depth) {
    if (!object.is_object()) refuse("call", "an object", object);
    for (const auto& [key, value] : object.items()) {
      if (value.is_null()) continue;
      if (is_nested(key) && value.is_object() && depth < 4) {
        read(value, depth + 1);
      } else {
        read_key(key, value, depth);
      }
    }
  }

  void read_key(const std::string& key, const Json& value, int depth) {
    if (key == "pipeline" || key == "pipeline_class" || key == "_class_name" || key == "class") {
      return;
    }
    const auto spelling = other_spellings().find(key);
    const auto handler = handlers().find(key);
    if (same_keys().contains(key)) {
      put(key, value);
    } else if (spelling != other_spellings().end()) {
      put(spelling->second, value);
    } else if (handler != handlers().end()) {
      handler->second(*this, key, value, depth);
    } else if (is_neutral(key) || value == false) {
      note(NoteKind::NoEffect, key, "does not change the picture");
    } else {
      note(NoteKind::NoCounterpart, key, concat("= ", shown(value), " is left out"));
    }
  }

  void put(const std::string& key, const Json& value) {
    if (r_.contains(key) && r_[key] != value) {
      fail(Cause::BadInput, what_, ": \"", key, "\": given twice, as ", shown(r_[key]), " and ",
           shown(value));
    }
    r_[key] = value;
  }

  using Handler = std::function<void(Importer&, const std::string&, const Json&, int)>;
  static const std::map<std::string, Handler>& handlers() {
    using I = Importer;
    using S = std::string;
    static const std::map<std::string, Handler> kHandlers = {
        {"from_pretrained",
         [](I& i, const S&, const Json& v, int d) {
           if (v.is_object()) return i.read(v, d + 1);
           i.put("model", v);
         }},
        {"image", [](I& i, const S&, const Json& v, int) { i.read_image(v); }},
        {"generator", [](I& i, const S& k, const Json& v, int) { i.read_generator(k, v); }},
        {"manual_seed", [](I& i, const S& k, const Json& v, int) { i.read_generator(k, v); }},
        {"scheduler", [](I& i, const S&, const Json& v, int) { i.read_scheduler(v); }},
        {"scheduler_config",
         [](I& i, const S& k, const Json& v, int) {
           if (!v.is_object()) i.refuse(k, "an object", v);
           for (const auto& [name, part] : v.items()) i.add_option(name, part);
         }},
        {"lora", [](I& i, const S& k, const Json& v, int) { i.read_loras(k, v); }},
        {"loras", [](I& i, const S& k, const Json& v, int) { i.read_loras(k, v); }},
        {"lora_weights", [](I& i, const S& k, const Json& v, int) { i.read_loras(k, v); }},
        {"load_lora_weights", [](I& i, const S& k, const Json& v, int) { i.read_loras(k, v); }},
        {"set_adapters", [](I& i, const S& k, const Json& v, int) { i.read_adapters(k, v); }},
        {"fuse_lora",
         [](I& i, const S&, const Json& v, int) {
           if (v.is_object() && v.contains("lora_scale"))
             i.scale_ = i.number("lora_scale", v.at("lora_scale"));
         }},
        {"cross_attention_kwargs",
         [](I& i, const S& k, const Json& v, int) { i.read_attention(k, v); }},
        {"load_textual_inversion",
         [](I& i, const S&, const Json& v, int) {
           i.put("textual_inversion", v.is_string() ? Json::array({v}) : v);
         }},
        {"enable_vae_tiling",
         [](I& i, const S&, const Json& v, int) {
           if (v != false) i.put("vae_tiling", true);
         }},
        {"enable_vae_slicing",
         [](I& i, const S&, const Json& v, int) {
           if (v != false) i.put("vae_slicing", true);
         }},
        {"output_type",
         [](I& i, const S& k, const Json& v, int) {
           if (v == "latent") {
             i.note(NoteKind::NoCounterpart, k, "latents are written with --latents-out");
           } else {
             i.note(NoteKind::NoEffect, k, "pictures are files here");
           }
         }},
        {"torch_dtype", &Importer::dtype},
        {"dtype", &Importer::dtype},
        {"device", &Importer::device},
        {"to", &Importer::device},
    };
    return kHandlers;
  }

  static void dtype(Importer& i, const std::string& key, const Json& value, int) {
    const std::string text = shown(value);
    const bool half =
        text.find("bfloat16") == std::string::npos && text.find("float16") != std::string::npos;
    const bool brain = text.find("bfloat16") != std::string::npos || text == "\"bf16\"";
    if (half || brain || text == "\"fp16\"") {
      i.note(NoteKind::NotEqual, key,
             concat("is chosen on the command line: --dtype ", brain ? "bf16" : "fp16"));
    } else {
      i.note(NoteKind::NoEffect, key, "float32 is the default");
    }
  }

  static void device(Importer& i, const std::string& key, const Json& value, int) {
    i.note(value == "cpu" ? NoteKind::NoEffect : NoteKind::NotEqual, key,
           concat("is chosen on the command line: --device, there ", shown(value)));
  }

  double number(const std::string& key, const Json& value) const {
    if (!value.is_number()) refuse(key, "a number", value);
    return value.get<double>();
  }

  // `image` is the control picture of the plain ControlNet pipelines.
  void read_image(const Json& value) {
    const bool control = class_.find("ControlNetPipeline") != std::string::npos;
    put(control ? "control" : "image", value);
  }

  void read_generator(const std::string& key, const Json& value) {
    if (value.is_array()) {
      Json seeds = Json::array();
      for (const Json& each : value) seeds.push_back(seed_of(key, each));
      return put("seed", seeds);
    }
    put("seed", seed_of(key, value));
  }

  // 7, {"seed": 7, "device": "cpu"}, "torch.Generator('cpu').manual_seed(7)".
  Json seed_of(const std::string& key, const Json& value) {
    if (value.is_number_integer()) return value;
    if (value.is_object()) {
      const Json* seed = first_of(value, {"seed", "manual_seed"});
      const Json* device = first_of(value, {"device"});
      if (device != nullptr && *device != "cpu") note_gpu(key);
      if (seed != nullptr && seed->is_number_integer()) return *seed;
    }
    if (value.is_string()) {
      const std::string& text = value.get_ref<const std::string&>();
      const std::size_t call = text.find("manual_seed(");
      if (text.find("cuda") != std::string::npos) note_gpu(key);
      if (call != std::string::npos) {
        const Json seed =
            Json::parse(text.substr(call + 12, text.find(')', call) - call - 12), nullptr, false);
        if (seed.is_number_integer()) return seed;
      }
    }
    refuse(key, "a seed, {\"seed\": 7} or \"torch.Generator('cpu').manual_seed(7)\"", value);
  }

  void note_gpu(const std::string& key) {
    note(NoteKind::NotEqual, key,
         "draws on a GPU; here the CPU's generator is taken, so the same seed gives another "
         "picture");
  }

  void read_scheduler(const Json& value) {
    if (value.is_string()) {
      std::string name = value.get<std::string>();
      name.resize(std::min(name.find(".from_config"), name.size()));
      return put("scheduler", name.substr(name.rfind('.') + 1));
    }
    if (!value.is_object()) refuse("scheduler", "a class, or an object with its options", value);
    for (const auto& [key, part] : value.items()) {
      if (key == "_class_name" || key == "class" || key == "class_name" || key == "name" ||
          key == "type") {
        read_scheduler(part.is_string() ? part : Json("?"));
      } else if ((key == "config" || key == "kwargs" || key == "from_config") && part.is_object()) {
        for (const auto& [name, option] : part.items()) add_option(name, option);
      } else {
        add_option(key, part);
      }
    }
  }

  void add_option(const std::string& name, const Json& value) {
    if (name == "_diffusers_version") return;
    if (name == "_class_name") {
      if (!r_.contains("scheduler")) put("scheduler", value);
      return;
    }
    r_["scheduler_config"][name] = value;
  }

  void read_loras(const std::string& key, const Json& value) {
    if (value.is_array()) {
      for (const Json& each : value) read_loras(key, each);
    } else if (value.is_string()) {
      loras_.push_back({"", value.get<std::string>(), 1});
    } else if (value.is_object()) {
      read_lora(key, value);
    } else {
      refuse(key, "a file, or {\"file\": …, \"weight\": …}", value);
    }
  }

  void read_lora(const std::string& key, const Json& value) {
    const Json* file = first_of(value, {"file", "path", "pretrained_model_name_or_path_or_dict",
                                        "pretrained_model_name_or_path", "model"});
    const Json* within = first_of(value, {"weight_name"});
    const Json* weight = first_of(value, {"weight", "scale", "adapter_weight", "lora_scale"});
    const Json* adapter = first_of(value, {"adapter_name", "name"});
    if (file == nullptr) file = within;
    if (file == nullptr || !file->is_string()) refuse(key, "the file of a LoRA", value);
    Lora lora{"", file->get<std::string>(), 1};
    if (within != nullptr && within != file && within->is_string()) {
      lora.file += "/" + within->get<std::string>();
    }
    if (weight != nullptr) lora.weight = number(key, *weight);
    if (adapter != nullptr && adapter->is_string()) lora.name = adapter->get<std::string>();
    static const std::set<std::string> kKnown = {"file",
                                                 "path",
                                                 "pretrained_model_name_or_path_or_dict",
                                                 "pretrained_model_name_or_path",
                                                 "model",
                                                 "weight_name",
                                                 "weight",
                                                 "scale",
                                                 "adapter_weight",
                                                 "lora_scale",
                                                 "adapter_name",
                                                 "name",
                                                 "dora_scale"};
    for (const auto& [name, part] : value.items()) {
      if (!kKnown.contains(name)) {
        note(NoteKind::NoCounterpart, key + "." + name, concat("= ", shown(part), " is left out"));
      }
    }
    if (value.contains("dora_scale")) lora.dora_scale = value.at("dora_scale") == true;
    loras_.push_back(lora);
  }

  // {"adapter_names": […], "adapter_weights": […]}, or the two lists.
  void read_adapters(const std::string& key, const Json& value) {
    const Json* names = value.is_object() ? first_of(value, {"adapter_names", "names"})
                        : value.is_array() && value.size() == 2 ? &value[0]
                                                                : nullptr;
    const Json* weights = value.is_object() ? first_of(value, {"adapter_weights", "weights"})
                          : value.is_array() && value.size() == 2 ? &value[1]
                                                                  : nullptr;
    if (names == nullptr) refuse(key, "adapter_names and adapter_weights", value);
    const Json name_list = names->is_array() ? *names : Json::array({*names});
    for (std::size_t i = 0; i < name_list.size(); ++i) {
      const Json weight = weights == nullptr     ? Json(1)
                          : !weights->is_array() ? *weights
                          : i < weights->size()  ? (*weights)[i]
                                                 : Json(1);
      adapters_[shown(name_list[i])] = number(key, weight);
    }
    adapters_given_ = true;
  }

  void read_attention(const std::string& key, const Json& value) {
    if (!value.is_object()) refuse(key, "an object", value);
    for (const auto& [name, part] : value.items()) {
      if (name == "scale") {
        scale_ = number(key + ".scale", part);
      } else {
        note(NoteKind::NoCounterpart, key + "." + name, concat("= ", shown(part), " is left out"));
      }
    }
  }

  void finish() {
    for (Lora& lora : loras_) {
      if (adapters_given_) {
        const auto found = adapters_.find(shown(Json(lora.name)));
        if (found == adapters_.end()) {
          note(NoteKind::NoEffect, lora.file, "is loaded, but not among the adapters set");
          continue;
        }
        lora.weight = found->second;
      }
      Json made = {{"file", lora.file}, {"weight", lora.weight * scale_}};
      if (lora.dora_scale) made["dora_scale"] = true;
      r_["lora"].push_back(made);
    }
    if (r_.contains("prompt")) return;
    note(NoteKind::NoCounterpart, "prompt", "is missing; an empty one is taken");
    r_["prompt"] = "";
  }

  struct Lora {
    std::string name, file;
    double weight = 1;
    bool dora_scale = false;
  };
  const std::string& what_;
  Imported& out_;
  Json& r_;
  std::string class_;
  std::vector<Lora> loras_;
  std::map<std::string, double> adapters_;
  bool adapters_given_ = false;
  double scale_ = 1;
};

}  // namespace

Imported import_diffusers(const Json& call, const std::string& what) {
  if (!call.is_object()) fail(Cause::BadInput, what, ": expected a JSON object");
  Imported out;
  out.source = "diffusers";
  out.request = Json::object();
  Importer(what, out).run(call);
  return out;
}

}  // namespace affiche::recipes
