// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/to_ldm.h"

#include <ATen/ATen.h>

#include <array>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/checkpoints/ldm_names.h"
#include "diffusion/checkpoints/networks.h"
#include "diffusion/checkpoints/open_clip.h"

namespace affiche::diffusion {
namespace {

constexpr std::int64_t kClipVocabulary = 49408;

StateDict renamed(const StateDict& tensors, const ModuleNames& names, const std::string& what) {
  StateDict out;
  for (const auto& [name, tensor] : tensors) {
    const auto ldm = names.to_ldm(name);
    if (!ldm) {
      fail(Cause::BadInput, what, ": the tensor \"", name,
           "\" has no name in the layout of single files; keep the model as a folder");
    }
    out[*ldm] = tensor;
  }
  return out;
}

// Old folders name the layers of the VAE's attention as the first diffusers did.
std::string present_name(std::string name) {
  constexpr std::array<LdmPair, 4> kOld = {
      {{"query", "to_q"}, {"key", "to_k"}, {"value", "to_v"}, {"proj_attn", "to_out.0"}}};
  for (const auto& [old, now] : kOld) {
    const std::string part = concat(".attentions.0.", old, ".");
    const std::size_t at = name.find(part);
    if (at != name.npos) name.replace(at, part.size(), concat(".attentions.0.", now, "."));
  }
  return name;
}

StateDict vae_to_ldm(const CheckpointPart& part) {
  StateDict tensors;
  for (const auto& [name, tensor] : part.weights) {
    // The original has convolutions of size 1 where diffusers has linear layers.
    const bool linear = name.find(".attentions.0.") != name.npos && tensor.dim() == 2;
    tensors[present_name(name)] =
        linear ? tensor.view({tensor.size(0), tensor.size(1), 1, 1}) : tensor;
  }
  std::int64_t levels = 0;
  while (has_prefix(tensors, concat("encoder.down_blocks.", levels, "."))) ++levels;
  const std::int64_t layers =
      count_tensors(tensors, "encoder.down_blocks.0.resnets.", ".conv1.weight");
  return renamed(tensors, vae_names(levels, layers), part.where.string());
}

StateDict with_text_model(const StateDict& tensors) {
  StateDict out;
  for (const auto& [name, tensor] : tensors) {
    if (name.ends_with("position_ids")) continue;
    const bool bare = name.starts_with("embeddings.") || name.starts_with("encoder.") ||
                      name.starts_with("final_layer_norm.");
    out[bare ? "text_model." + name : name] = tensor;
  }
  return out;
}

std::string act_of(const CheckpointPart& part) {
  return part.config.value("hidden_act", std::string("quick_gelu"));
}

void add(StateDict& all, const std::string& prefix, const StateDict& tensors) {
  for (const auto& [name, tensor] : tensors) all[prefix + name] = tensor;
}

const CheckpointPart& part_of(const Checkpoint& checkpoint, const std::string& name) {
  const auto found = checkpoint.parts.find(name);
  if (found == checkpoint.parts.end()) {
    fail(Cause::BadInput, "convert: the model has no part \"", name,
         "\", which a single file needs");
  }
  return found->second;
}

StateDict text_to_ldm(const CheckpointPart& part, bool open_clip) {
  const StateDict tensors = with_text_model(part.weights);
  return open_clip ? to_open_clip(tensors, part.where.string()) : tensors;
}

Json recorded(const Checkpoint& checkpoint) {
  Json record = {{"index", checkpoint.index}};
  for (const auto& [name, part] : checkpoint.parts) record["parts"][name] = part.config;
  for (const auto& [name, scheduler] : checkpoint.schedulers) {
    record["schedulers"][name] = {{"class", scheduler.class_name}, {"config", scheduler.config}};
  }
  return record;
}

// The scheduler's say, since a single file has no scheduler.
std::string prediction_of(const Checkpoint& checkpoint) {
  const auto found = checkpoint.schedulers.find("scheduler");
  if (found == checkpoint.schedulers.end() || !found->second.config.is_object()) return "epsilon";
  return found->second.config.value("prediction_type", std::string("epsilon"));
}

// The configuration that a reader without "affiche.model" deduces; null when it cannot.
Json deduced(const CheckpointPart& part) {
  try {
    const DeduceOptions options{.what = part.where.string()};
    return part.class_name == "UNet2DConditionModel" ? deduce_unet(part.weights, options)
                                                     : deduce_vae(part.weights, options);
  } catch (const Error&) {
    return nullptr;
  }
}

Json listed(const Json& value, std::size_t count) {
  return value.is_array() ? value : Json(std::vector<Json>(count, value));
}

// What other readers assume because they cannot see it.
void warn_of_assumptions(const Checkpoint& checkpoint, std::vector<std::string>& warnings) {
  for (const auto& [name, part] : checkpoint.parts) {
    if (part.class_name != "UNet2DConditionModel" && part.class_name != "AutoencoderKL") continue;
    const Json other = deduced(part);
    const std::size_t levels = part.config.value("block_out_channels", Json::array()).size();
    for (const char* key : {"norm_num_groups", "attention_head_dim"}) {
      if (!part.config.contains(key)) continue;
      if (other.is_object() && other.contains(key) &&
          listed(other[key], levels) == listed(part.config[key], levels)) {
        continue;
      }
      warnings.push_back(concat(name, ": a single file does not state ", key, " (",
                                part.config[key].dump(), "); programs other than affiche take the ",
                                "published models' unless they are given this model's config"));
    }
  }
  for (const auto& [name, tokenizer] : checkpoint.tokenizers) {
    if (tokenizer.vocabulary_size() == kClipVocabulary) continue;
    warnings.push_back(
        concat(name, ": a single file has no tokenizer, and this one is not CLIP's: ", "expected ",
               kClipVocabulary, " tokens, found ", tokenizer.vocabulary_size(),
               "; the file will not run alone"));
  }
}

}  // namespace

StateDict part_to_ldm(const CheckpointPart& part) {
  const std::string what = part.where.string();
  if (part.class_name == "UNet2DConditionModel") {
    return renamed(part.weights, unet_names(diffusers_unet_layout(part.weights)), what);
  }
  if (part.class_name == "ControlNetModel") {
    const std::int64_t blocks =
        count_tensors(part.weights, "controlnet_cond_embedding.blocks.", ".weight");
    return renamed(part.weights, controlnet_names(diffusers_unet_layout(part.weights), blocks),
                   what);
  }
  if (part.class_name == "AutoencoderKL") return vae_to_ldm(part);
  fail(Cause::BadInput, what, ": a ", part.class_name,
       " has no layout of its own for single files; keep it as a folder");
}

StateDict checkpoint_to_ldm(const Checkpoint& checkpoint,
                            std::map<std::string, std::string>& metadata,
                            std::vector<std::string>& warnings) {
  StateDict all;
  add(all, "model.diffusion_model.", part_to_ldm(part_of(checkpoint, "unet")));
  add(all, "first_stage_model.", part_to_ldm(part_of(checkpoint, "vae")));
  const CheckpointPart& text = part_of(checkpoint, "text_encoder");
  std::string architecture = "stable-diffusion-v1";
  const bool v_prediction = prediction_of(checkpoint) == "v_prediction";
  if (checkpoint.parts.contains("text_encoder_2")) {
    add(all, "conditioner.embedders.0.transformer.", text_to_ldm(text, false));
    add(all, "conditioner.embedders.1.model.",
        text_to_ldm(part_of(checkpoint, "text_encoder_2"), true));
    architecture = "stable-diffusion-xl-v1-base";
    // The mark that other programs look for.
    if (v_prediction) all["v_pred"] = at::empty({0}, at::kFloat);
  } else if (act_of(text) == "gelu") {
    add(all, "cond_stage_model.model.", text_to_ldm(text, true));
    architecture = v_prediction ? "stable-diffusion-v2-768-v" : "stable-diffusion-v2-512";
  } else {
    add(all, "cond_stage_model.transformer.", text_to_ldm(text, false));
  }
  metadata["format"] = "pt";
  metadata["modelspec.architecture"] = architecture;
  metadata["modelspec.prediction_type"] = v_prediction ? "v" : "epsilon";
  metadata["affiche.model"] = recorded(checkpoint).dump();
  warn_of_assumptions(checkpoint, warnings);
  return all;
}

}  // namespace affiche::diffusion
