// SPDX-License-Identifier: Apache-2.0
#include "recipes/comfyui_prompts.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"

namespace affiche::recipes {
namespace {

struct Prompt {
  std::string text;
  std::optional<std::string> second;  // SDXL's other encoder
  Json sizes = Json::object();        // original_size …
  bool zero = false;
};

struct Control {
  std::string model, picture;
  double scale = 1, start = 0, end = 1;
  bool canny = false;
};

bool names_xl(const std::string& file) {
  return file.find("xl") != std::string::npos || file.find("XL") != std::string::npos;
}

// ComfyUI's text knows ( ) but not [ ], which A1111's rules would read as "less".
std::string for_weighting(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      out += text[i];
      out += text[++i];
      continue;
    }
    if (text[i] == '[' || text[i] == ']') out += '\\';
    out += text[i];
  }
  return out;
}

class PromptReader {
 public:
  PromptReader(Walk& walk, Json& request, Imported& out) : walk_(walk), r_(request), out_(out) {}

  void read(const Stage& stage) {
    const Node& settings = *stage.settings;
    const bool basic = settings.type == "BasicGuider";
    const Prompt positive = read_prompt(settings, basic ? "conditioning" : "positive", 0);
    const Prompt negative = basic ? Prompt{} : read_prompt(settings, "negative", 1);
    read_model(settings);
    xl_ = xl_ || names_xl(r_.value("model", ""));
    put(positive, negative);
    put_clip_skip();
    put_loras();
    put_controls();
  }

 private:
  // Along the conditioning to the text. `side`: which of two outputs of nodes that have both.
  Prompt read_prompt(const Node& from, std::string input, int side) {
    Prompt prompt;
    const Node* at = &from;
    for (;;) {
      int slot = 0;
      const Node* node = walk_.source(*at, input, &slot);
      if (node == nullptr) return prompt;
      at = node;
      if (node->type == "CLIPTextEncode") {
        prompt.text = walk_.text(*node, "text");
        read_clip(*node);
        return prompt;
      }
      if (node->type == "CLIPTextEncodeSDXL") {
        read_sdxl(*node, prompt, side);
        read_clip(*node);
        return prompt;
      }
      if (node->type.starts_with("ControlNetApply")) {
        const bool both = node->input("positive") != nullptr;
        if (controls_seen_.insert(node->id).second) read_control(*node, both);
        input = both ? (slot == 1 ? "negative" : "positive") : "conditioning";
      } else if (node->type == "InpaintModelConditioning") {
        input = slot == 1 ? "negative" : "positive";
      } else if (node->type == "ConditioningZeroOut") {
        prompt.zero = true;
        input = "conditioning";
      } else {
        input = through(*node, slot);
        if (input.empty()) return prompt;
      }
    }
  }

  // Conditionings that have no counterpart: their first one is followed, the others get lost.
  std::string through(const Node& node, int slot) {
    walk_.give_up(node, "is not known here; the first prompt that goes into it is taken");
    for (const char* name : {slot == 1 ? "negative" : "positive", "conditioning", "conditioning_1",
                             "conditioning_to"}) {
      const Input* input = node.input(name);
      if (input != nullptr && input->link) return name;
    }
    return "";
  }

  void read_sdxl(const Node& node, Prompt& prompt, int side) {
    xl_ = true;
    // CLIP L is diffusers' first encoder, CLIP G its second.
    prompt.text = walk_.text(node, "text_l");
    const std::string other = walk_.text(node, "text_g");
    if (other != prompt.text) prompt.second = other;
    const std::string start = side == 1 ? "negative_" : "";
    const auto pair = [&](const char* height, const char* width) {
      return Json::array({walk_.whole(node, height, 0), walk_.whole(node, width, 0)});
    };
    prompt.sizes[start + "original_size"] = pair("height", "width");
    prompt.sizes[start + "crops_coords_top_left"] = pair("crop_h", "crop_w");
    prompt.sizes[start + "target_size"] = pair("target_height", "target_width");
  }

  void read_control(const Node& node, bool both) {
    Control control;
    control.scale = walk_.number(node, "strength", 1);
    control.start = walk_.number(node, "start_percent", 0);
    control.end = walk_.number(node, "end_percent", 1);
    control.picture = picture_file(walk_, node, "image", &control.canny);
    const Node* loader = walk_.source(node, "control_net");
    if (loader != nullptr && loader->type == "SetUnionControlNetType") {
      walk_.give_up(*loader, "ControlNets of several kinds are not known here");
      loader = walk_.source(*loader, "control_net");
    }
    if (loader != nullptr && loader->type == "DiffControlNetLoader") {
      walk_.ignore(*loader, {"model"});
      walk_.note(NoteKind::NoCounterpart, *loader, "a ControlNet stored as a difference");
    }
    if (loader != nullptr) control.model = walk_.text(*loader, "control_net_name");
    walk_.ignore(node, {"vae"});
    if (!both) {
      walk_.note(NoteKind::NotEqual, node,
                 "leads the prompt only; here it leads the negative prompt too");
    }
    if (control.start > 0 || control.end < 1) {
      walk_.note(NoteKind::NotEqual, node,
                 "counts its part of the run in noise levels, here in steps");
    }
    if (control.model.empty() || control.picture.empty()) {
      walk_.note(NoteKind::NoCounterpart, node,
                 "is left out: its picture or its ControlNet does not come from a file");
      return;
    }
    controls_.push_back(control);
  }

  // From the text encoder to its file; LoRAs on the way belong to the model's chain.
  void read_clip(const Node& encoder) {
    const Node* at = walk_.source(encoder, "clip");
    while (at != nullptr) {
      if (at->type == "CLIPSetLastLayer") {
        stop_at_ = walk_.whole(*at, "stop_at_clip_layer", -1);
        clip_node_ = at;
      } else if (at->type == "LoraLoader") {
        clip_loras_.insert(at->id);
      } else {
        if (at->type == "DualCLIPLoader" && walk_.text(*at, "type") == "sdxl") xl_ = true;
        if (at->type.find("CLIPLoader") != std::string::npos && !walk_given_up_.contains(at->id)) {
          walk_given_up_.insert(at->id);
          walk_.give_up(*at,
                        "text encoders come from \"model\" here: name a model folder or a "
                        "checkpoint that has them");
        } else if (at->type.find("CheckpointLoader") == std::string::npos &&
                   walk_given_up_.insert(at->id).second) {
          walk_.give_up(*at, "is not known here");
        }
        if (at->input("clip") == nullptr) return;
      }
      at = walk_.source(*at, "clip");
    }
  }

  void read_model(const Node& settings) {
    const Node* at = walk_.source(settings, "model");
    while (at != nullptr) {
      if (at->type.find("CheckpointLoader") != std::string::npos) {
        r_["model"] = walk_.text(*at, "ckpt_name");
        walk_.ignore(*at, {"config_name"});
        return;
      }
      if (at->type == "UNETLoader") {
        read_unet(*at);
        return;
      }
      if (!patch(*at)) walk_.give_up(*at, "changes the model in a way that is not known here");
      const Node* next = walk_.source(*at, "model");
      if (next == nullptr && at->input("model1") != nullptr) next = walk_.source(*at, "model1");
      at = next;
    }
  }

  void read_unet(const Node& node) {
    r_["unet"] = walk_.text(node, "unet_name");
    if (walk_.text(node, "weight_dtype", "default") != "default") {
      walk_.note(NoteKind::NotEqual, node, "weight_dtype", "is chosen with --dtype here");
    }
    out_.note(NoteKind::ToFind, "model",
              "the UNet stands alone: name a model folder that has the text encoders");
  }

  bool patch(const Node& node) {
    if (node.type == "LoraLoader" || node.type == "LoraLoaderModelOnly") {
      read_lora(node);
    } else if (node.type == "ModelSamplingDiscrete") {
      read_sampling(node);
    } else if (node.type == "ModelSamplingSD3") {
      r_["scheduler_config"]["shift"] = walk_.number(node, "shift", 3);
    } else if (node.type == "RescaleCFG") {
      r_["guidance_rescale"] = walk_.number(node, "multiplier", 0.7);
      walk_.note(NoteKind::NotEqual, node,
                 "rescales the prediction of the velocity, here the one of the noise");
    } else {
      return false;
    }
    return true;
  }

  void read_lora(const Node& node) {
    const double weight = walk_.number(node, "strength_model", 1);
    const std::string file = walk_.text(node, "lora_name");
    if (node.type == "LoraLoader") {
      const double clip = walk_.number(node, "strength_clip", weight);
      lora_nodes_.push_back(node.id);
      if (clip != weight) {
        walk_.note(NoteKind::NotEqual, node, "strength_clip",
                   concat("= ", clip, ", but a LoRA has one weight here, ", weight));
      }
      walk_.ignore(node, {"clip"});
    } else {
      walk_.note(NoteKind::NotEqual, node,
                 "leaves the text encoder alone; here its layers count when the file has some");
    }
    loras_.push_back({{"file", file}, {"weight", weight}});
  }

  void read_sampling(const Node& node) {
    const std::string sampling = walk_.text(node, "sampling", "eps");
    Json& config = r_["scheduler_config"];
    if (sampling == "eps" || sampling == "v_prediction") {
      config["prediction_type"] = sampling == "eps" ? "epsilon" : "v_prediction";
    } else if (sampling == "x0") {
      config["prediction_type"] = "sample";
    } else if (sampling != "lcm") {
      walk_.note(NoteKind::NoCounterpart, node, "sampling",
                 concat("\"", sampling, "\" is not known here"));
    }
    if (walk_.flag(node, "zsnr", false)) config["rescale_betas_zero_snr"] = true;
  }

  void put(const Prompt& positive, const Prompt& negative) {
    r_["prompt"] = positive.text;
    if (positive.second) r_["prompt_2"] = *positive.second;
    if (!negative.zero) {
      r_["negative_prompt"] = negative.text;
      if (negative.second) r_["negative_prompt_2"] = *negative.second;
    } else if (!xl_) {
      out_.note(NoteKind::NotEqual, "ConditioningZeroOut",
                "the negative prompt becomes an empty text, not zeros");
    } else {
      r_["empty_negative_prompt"] = "zeros";
    }
    r_.update(positive.sizes);
    r_.update(negative.sizes);
    r_["long_prompts"] = true;
    put_weighting();
    put_embeddings();
  }

  void put_weighting() {
    static constexpr const char* kKeys[] = {"prompt", "prompt_2", "negative_prompt",
                                            "negative_prompt_2"};
    const bool weighted = std::any_of(std::begin(kKeys), std::end(kKeys), [&](const char* key) {
      return r_.contains(key) &&
             r_[key].get_ref<const std::string&>().find_first_of("()") != std::string::npos;
    });
    if (!weighted) return;
    r_["prompt_weighting"] = "a1111";
    for (const char* key : kKeys) {
      if (r_.contains(key)) r_[key] = for_weighting(r_[key].get<std::string>());
    }
    out_.note(NoteKind::NotEqual, "prompt weights",
              "ComfyUI weighs words against the empty prompt; here they are weighed as in A1111, "
              "which keeps the mean");
  }

  // "embedding:NAME" stays in the prompt, as the token of the file of that name.
  void put_embeddings() {
    std::set<std::string> tokens;
    for (const char* key : {"prompt", "prompt_2", "negative_prompt", "negative_prompt_2"}) {
      const std::string text = r_.value(key, "");
      constexpr std::string_view kStart = "embedding:";
      for (std::size_t at = text.find(kStart); at != std::string::npos;
           at = text.find(kStart, at + 1)) {
        const std::size_t end = text.find_first_of(" ,:()[]\n\t", at + kStart.size());
        const std::string token = text.substr(at, end == std::string::npos ? end : end - at);
        std::string file = token.substr(kStart.size());
        if (file.empty() || !tokens.insert(token).second) continue;
        if (file.find('.') == std::string::npos) file += ".safetensors";
        r_["textual_inversion"].push_back({{"file", file}, {"token", token}});
      }
    }
  }

  void put_clip_skip() {
    if (clip_node_ == nullptr || stop_at_ >= 0) return;
    // ComfyUI counts -1 as the last layer; SDXL takes the last but one without being asked.
    const std::int64_t skip = -stop_at_ - (xl_ ? 2 : 1);
    if (skip > 0) r_["clip_skip"] = skip;
    if (skip < 0) {
      walk_.note(NoteKind::NoCounterpart, *clip_node_,
                 "the last layer of SDXL's encoders cannot be had here");
    }
  }

  void put_loras() {
    if (loras_.empty()) return;
    std::reverse(loras_.begin(), loras_.end());
    r_["lora"] = loras_;
    for (const std::string& id : lora_nodes_) {
      if (clip_loras_.contains(id)) continue;
      out_.note(NoteKind::NotEqual, concat("node ", id, " LoraLoader"),
                "the prompt's text encoder does without it there; here its layers count");
    }
    for (const std::string& id : clip_loras_) {
      const Node* node = walk_.graph().find(id);
      if (std::find(lora_nodes_.begin(), lora_nodes_.end(), id) != lora_nodes_.end()) continue;
      walk_.give_up(*node, "changes the text encoder only, which is not done here");
      walk_.ignore(*node, {"model"});
    }
  }

  void put_controls() {
    if (controls_.empty()) return;
    std::reverse(controls_.begin(), controls_.end());
    const auto list = [&](auto field) {
      Json all = Json::array();
      for (const Control& control : controls_) all.push_back(field(control));
      return all.size() == 1 ? Json(all[0]) : all;
    };
    r_["controlnet"] = list([](const Control& c) { return Json(c.model); });
    r_["control"] = list([](const Control& c) { return Json(c.picture); });
    r_["controlnet_conditioning_scale"] = list([](const Control& c) { return Json(c.scale); });
    r_["control_guidance_start"] = list([](const Control& c) { return Json(c.start); });
    r_["control_guidance_end"] = list([](const Control& c) { return Json(c.end); });
    const bool canny =
        std::any_of(controls_.begin(), controls_.end(), [](const Control& c) { return c.canny; });
    if (canny) {
      r_["control_preprocessor"] =
          list([](const Control& c) { return Json(c.canny ? "canny" : "none"); });
    }
  }

  Walk& walk_;
  Json& r_;
  Imported& out_;
  bool xl_ = false;
  std::int64_t stop_at_ = 0;
  const Node* clip_node_ = nullptr;
  std::set<std::string> controls_seen_, clip_loras_, walk_given_up_;
  std::vector<std::string> lora_nodes_;
  std::vector<Control> controls_;
  Json loras_ = Json::array();
};

}  // namespace

void put_prompts(Walk& walk, Json& request, Imported& out, const Stage& stage) {
  PromptReader(walk, request, out).read(stage);
}

}  // namespace affiche::recipes
