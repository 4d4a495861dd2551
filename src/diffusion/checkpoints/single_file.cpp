// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/single_file.h"

#include <array>
#include <optional>

#include "base/error.h"
#include "base/json.h"
#include "diffusion/checkpoints/family.h"
#include "diffusion/checkpoints/ldm_names.h"
#include "diffusion/checkpoints/networks.h"
#include "diffusion/checkpoints/weight_files.h"
#include "diffusion/weights/gguf.h"
#include "diffusion/weights/safetensors.h"
#include "diffusion/weights/torch_pickle.h"

namespace affiche::diffusion {
namespace {

namespace fs = std::filesystem;

const std::string kUNet = "model.diffusion_model.";
const std::string kClip = "cond_stage_model.transformer.";
const std::string kOpenClip = "cond_stage_model.model.";
const std::string kXLClip = "conditioner.embedders.0.transformer.";
const std::string kXLOpenClip = "conditioner.embedders.1.model.";
const std::array<std::string, 2> kVae = {"first_stage_model.", "vae."};
const std::string kControl = "control_model.";

// What training left in whole checkpoints: averages of the weights, the noise schedule, losses.
// diffusers takes the weights, not their averages, and so do we.
bool is_left_over(const std::string& name) {
  static const std::array<std::string, 25> kStarts = {
      "model_ema.",
      "alphas_cumprod",
      "betas",
      "log_one_minus_alphas_cumprod",
      "posterior_",
      "sqrt_",
      "logvar",
      "lvlb_weights",
      "denoiser.",
      "scale_factor",
      "global_step",
      "v_pred",
      "ztsnr",
      "low_scale_model.",
      "epoch",
      "cond_stage_model.logit_scale",
      "conditioner.embedders.0.logit_scale",
      "conditioner.embedders.0.transformer.logit_scale",
      "conditioner.embedders.1.logit_scale",
      "loss.",
      "optimizer",
      "iteration",
      "embedding_manager.",
      "discriminator.",
      "callbacks"};
  return std::any_of(kStarts.begin(), kStarts.end(),
                     [&](const std::string& start) { return name.starts_with(start); });
}

// The file's tensors, and what its header says about it.
struct File {
  fs::path path;
  StateDict tensors;
  std::map<std::string, std::string> metadata;
  std::string what() const { return path.string(); }
};

File read_file(const fs::path& path, const CheckpointOptions& options) {
  File file{path, load_weight_file(path, options), {}};
  if (!is_gguf(path) && !is_torch_pickle(path)) file.metadata = safetensors_metadata(path);
  return file;
}

std::string vae_prefix(const StateDict& tensors) {
  return has_prefix(tensors, kVae[0]) ? kVae[0] : kVae[1];
}

Family family_of(const StateDict& tensors, const std::string& what) {
  const bool xl = has_prefix(tensors, kUNet + "label_emb.0.0.");
  if (xl || has_prefix(tensors, kXLOpenClip)) {
    if (xl) return Family::SDXL;
    fail(Cause::BadInput, what, ": expected the tensor \"", kUNet,
         "label_emb.0.0.weight\" beside the text encoders of SDXL, found none");
  }
  if (tensors.contains(kUNet + "label_emb.weight")) return Family::X4Upscaler;
  if (has_prefix(tensors, kOpenClip)) return Family::SD2;
  if (has_prefix(tensors, kClip)) return Family::SD1;
  // Without a text encoder the UNet's projections tell: convolutions until SD 1.5, then linear.
  for (const auto& [name, tensor] : tensors) {
    if (name.starts_with(kUNet) && name.ends_with(".1.proj_in.weight")) {
      return tensor.dim() == 2 ? Family::SD2 : Family::SD1;
    }
  }
  fail(Cause::BadInput, what, ": expected a UNet with attention, found none");
}

[[noreturn]] void refuse_file(const File& file) {
  const std::string other = known_but_not_run(file.tensors);
  if (other == "a LoRA file") {
    fail(Cause::BadInput, file.what(), ": expected a model, found ", other,
         "; give it with --lora, beside a --model");
  }
  if (!other.empty()) {
    fail(Cause::BadInput, file.what(), ": expected a Stable Diffusion 1.x, 2.x or XL model, found ",
         other, "; this version does not run it");
  }
  const std::string network = lone_network(file.tensors);
  if (!network.empty()) {
    fail(Cause::BadInput, file.what(), ": expected a whole model, found a lone ", network,
         "; give a whole model, and this file in place of one of its parts");
  }
  fail(Cause::BadInput, file.what(), ": expected the tensors of a Stable Diffusion model (\"",
       kUNet, "input_blocks.0.0.weight\", …), found others, for instance \"",
       file.tensors.empty() ? "" : file.tensors.begin()->first, "\"");
}

// What our own conversion wrote into the header: the configurations that tensors cannot state.
Json record_of(const File& file) {
  const auto found = file.metadata.find("affiche.model");
  if (found == file.metadata.end()) return Json::object();
  Json record = parse_json(found->second, file.what() + " (affiche.model)", true);
  if (!record.is_object()) {
    fail(Cause::BadInput, file.what(), ": affiche.model in the header: expected an object");
  }
  return record;
}

const Json* recorded(const Json& record, const char* group, const std::string& name) {
  const auto found = record.find(group);
  if (found == record.end() || !found->is_object() || !found->contains(name)) return nullptr;
  return &(*found)[name];
}

bool add_recorded_schedulers(Checkpoint& checkpoint, const Json& record) {
  for (const char* name : {"scheduler", "low_res_scheduler"}) {
    const Json* scheduler = recorded(record, "schedulers", name);
    if (scheduler == nullptr || !scheduler->is_object() || !scheduler->contains("class") ||
        !scheduler->contains("config") || !(*scheduler)["class"].is_string()) {
      continue;
    }
    checkpoint.schedulers[name] = {(*scheduler)["class"].get<std::string>(),
                                   (*scheduler)["config"]};
  }
  return checkpoint.schedulers.contains("scheduler");
}

void add_text_encoders(Checkpoint& checkpoint, const File& file, Family family, const Json& record,
                       DeduceOptions options) {
  const auto add = [&](const char* name, const std::string& prefix, const char* act, bool second) {
    StateDict tensors = without_prefix(file.tensors, prefix);
    if (tensors.empty()) return;
    options.hidden_act = act;
    options.like = recorded(record, "parts", name);
    if (!second && prefix == kOpenClip) {
      // SD 2.x was trained on the output of the last layer but one, and never projects.
      tensors.erase("text_projection");
      for (const auto& [layer, tensor] : without_prefix(tensors, "transformer.resblocks.23.")) {
        tensors.erase("transformer.resblocks.23." + layer);
      }
    }
    checkpoint.parts[name] = text_encoder_part(tensors, options);
  };
  if (family == Family::SDXL) {
    add("text_encoder", kXLClip, "quick_gelu", false);
    add("text_encoder_2", kXLOpenClip, "gelu", true);
  } else {
    add("text_encoder", kClip, "quick_gelu", false);
    add("text_encoder", kOpenClip, "gelu", false);
  }
}

void add_networks(Checkpoint& checkpoint, const File& file, Family family, const Json& record,
                  const CheckpointOptions& options) {
  DeduceOptions deduce{.what = file.what(),
                       .like = recorded(record, "parts", "unet"),
                       .sample_size = facts(family).sample_size,
                       .scaling_factor = facts(family).scaling_factor,
                       .upcast_attention = family == Family::SD2,
                       .keep_unknown = options.keep_unknown};
  const StateDict unet = without_prefix(file.tensors, kUNet);
  // Models for in-painting were trained on smaller pictures than their families.
  const auto entrance = unet.find("input_blocks.0.0.weight");
  const bool inpainting =
      entrance != unet.end() && entrance->second.dim() == 4 && entrance->second.size(1) == 9;
  if (inpainting && family == Family::SD2) deduce.sample_size = facts(Family::SD1).sample_size;
  checkpoint.parts["unet"] = unet_part(unet, deduce);
  deduce.like = recorded(record, "parts", "vae");
  deduce.sample_size = facts(family).picture_size;
  const StateDict vae = without_prefix(file.tensors, vae_prefix(file.tensors));
  if (!vae.empty()) checkpoint.parts["vae"] = vae_part(vae, deduce);
  add_text_encoders(checkpoint, file, family, record, deduce);
  for (auto& [name, part] : checkpoint.parts) {
    part.where = file.path;
    part.files = {file.path};
  }
}

void add_tokenizers(Checkpoint& checkpoint, Family family) {
  const ClipPadding first = family == Family::SD2 || family == Family::X4Upscaler
                                ? ClipPadding::Exclamation
                                : ClipPadding::EndOfText;
  checkpoint.tokenizers.emplace("tokenizer", clip_tokenizer(first));
  if (family == Family::SDXL) {
    checkpoint.tokenizers.emplace("tokenizer_2", clip_tokenizer(ClipPadding::Exclamation));
  }
}

// What the file says about its training, in the order of how directly it says so.
std::optional<std::string> stated_prediction(const File& file) {
  if (file.tensors.contains("v_pred")) return "v_prediction";
  const auto found = file.metadata.find("modelspec.prediction_type");
  if (found == file.metadata.end()) return std::nullopt;
  if (found->second == "v" || found->second == "v_prediction") return "v_prediction";
  if (found->second == "epsilon") return "epsilon";
  return std::nullopt;
}

void add_schedulers(Checkpoint& checkpoint, const File& file, Family family, bool inpainting,
                    bool distilled) {
  FamilyScheduler scheduler = family_scheduler(family, inpainting, distilled);
  Json& type = scheduler.config["prediction_type"];
  const std::optional<std::string> stated = stated_prediction(file);
  if (stated && type != *stated) {
    checkpoint.warnings.push_back(concat(file.what(), ": the file states ", *stated,
                                         ", which is taken; diffusers would take ",
                                         type.get<std::string>()));
    type = *stated;
  } else if (!stated && family == Family::SD2 && !inpainting) {
    checkpoint.warnings.push_back(concat(
        file.what(), ": the file does not state its prediction type; v_prediction is taken, ",
        "as diffusers does. If pictures are noise, give --scheduler-config with epsilon"));
  }
  if (file.tensors.contains("ztsnr")) {
    if (scheduler.class_name == "PNDMScheduler") scheduler.class_name = "DDIMScheduler";
    scheduler.config["rescale_betas_zero_snr"] = true;
    scheduler.config["timestep_spacing"] = "trailing";
  }
  checkpoint.schedulers["scheduler"] = {scheduler.class_name, scheduler.config};
  if (family == Family::X4Upscaler) {
    const FamilyScheduler low = low_res_scheduler();
    checkpoint.schedulers["low_res_scheduler"] = {low.class_name, low.config};
  }
}

std::string pipeline_class(Family family, std::int64_t in_channels, bool distilled,
                           const std::string& what) {
  if (family == Family::X4Upscaler) return "StableDiffusionUpscalePipeline";
  const std::string name =
      family == Family::SDXL ? "StableDiffusionXL" : std::string("StableDiffusion");
  if (in_channels == 9) return name + "InpaintPipeline";
  if (in_channels == 4) return distilled ? "LatentConsistencyModelPipeline" : name + "Pipeline";
  const char* found = in_channels == 8   ? "an InstructPix2Pix model (8)"
                      : in_channels == 5 ? "a depth-to-image model (5)"
                                         : "another number";
  fail(Cause::BadInput, what, ": tensor \"", kUNet, "input_blocks.0.0.weight\": expected 4 or 9 ",
       "input channels, found ", found, ": ", in_channels, "; this version does not run it");
}

// model_index.json, as save_pretrained() would write it.
Json model_index(const Checkpoint& checkpoint, Family family) {
  Json index = {{"_class_name", checkpoint.pipeline_class}};
  for (const auto& [name, part] : checkpoint.parts) {
    const bool text = part.class_name.starts_with("CLIPText");
    index[name] = Json::array({text ? "transformers" : "diffusers", part.class_name});
  }
  for (const auto& [name, tokenizer] : checkpoint.tokenizers) {
    index[name] = Json::array({"transformers", "CLIPTokenizer"});
  }
  for (const auto& [name, scheduler] : checkpoint.schedulers) {
    index[name] = Json::array({"diffusers", scheduler.class_name});
  }
  if (family == Family::SDXL) index["force_zeros_for_empty_prompt"] = true;
  if (family == Family::X4Upscaler) index["max_noise_level"] = 350;
  if (family == Family::SD1 || family == Family::SD2) index["requires_safety_checker"] = false;
  return index;
}

// A checkpoint in the original layout leaves no tensor without a meaning.
void warn_of_others(Checkpoint& checkpoint, const File& file) {
  std::size_t count = 0;
  std::string first;
  for (const auto& [name, tensor] : file.tensors) {
    const auto starts = [&name = name](const std::string& prefix) {
      return name.starts_with(prefix);
    };
    if (starts(kUNet) || starts(kVae[0]) || starts(kVae[1]) || starts(kClip) || starts(kOpenClip) ||
        starts(kXLClip) || starts(kXLOpenClip) || is_left_over(name)) {
      continue;
    }
    if (count++ == 0) first = name;
  }
  if (count > 0) {
    checkpoint.warnings.push_back(concat(file.what(), ": ", count,
                                         " tensors belong to no part of the model and are left out,"
                                         " for instance \"",
                                         first, "\""));
  }
}

}  // namespace

std::string lone_network(const StateDict& tensors) {
  const auto starts = [&](const char* prefix) { return has_prefix(tensors, prefix); };
  const auto has = [&](const char* name) { return tensors.contains(name); };
  if (starts("control_model.") || starts("input_hint_block.") || starts("zero_convs.") ||
      starts("controlnet_cond_embedding.")) {
    return "ControlNetModel";
  }
  if (starts("model.diffusion_model.input_blocks.") || starts("input_blocks.") ||
      starts("model.diffusion_model.down_blocks.") || has("down_blocks.0.resnets.0.conv1.weight")) {
    return "UNet2DConditionModel";
  }
  if (starts("encoder.layers.") || starts("decoder.layers.") || has("decoder.1.weight") ||
      has("encoder.0.weight")) {
    return "AutoencoderTiny";
  }
  if (starts("first_stage_model.") || starts("encoder.down.") || starts("encoder.down_blocks.")) {
    return "AutoencoderKL";
  }
  if (starts("text_model.") || starts("transformer.resblocks.") || starts("cond_stage_model.")) {
    const bool projected = has("text_projection.weight") || has("text_projection");
    return projected ? "CLIPTextModelWithProjection" : "CLIPTextModel";
  }
  return "";
}

bool is_whole_model(const StateDict& tensors) {
  // Files of lone networks may carry the UNet's prefix too.
  return has_prefix(tensors, kUNet + "input_blocks.") &&
         (has_prefix(tensors, "cond_stage_model.") || has_prefix(tensors, "conditioner.") ||
          has_prefix(tensors, "first_stage_model."));
}

Checkpoint open_single_file(const fs::path& path, const CheckpointOptions& options) {
  if (is_gguf(path)) {
    fail(Cause::BadInput, path.string(),
         ": a GGUF file holds one network, not a whole model; give the model with --model and this "
         "file with --unet");
  }
  const File file = read_file(path, options);
  if (!is_whole_model(file.tensors) || !known_but_not_run(file.tensors).empty()) refuse_file(file);
  const Family family = family_of(file.tensors, file.what());
  const Json record = record_of(file);
  Checkpoint checkpoint;
  add_networks(checkpoint, file, family, record, options);
  const CheckpointPart& unet = checkpoint.parts.at("unet");
  const bool distilled = has_prefix(unet.weights, "time_embedding.cond_proj.");
  const std::int64_t in_channels = unet.config["in_channels"];
  checkpoint.pipeline_class = pipeline_class(family, in_channels, distilled, file.what());
  add_tokenizers(checkpoint, family);
  if (!add_recorded_schedulers(checkpoint, record)) {
    add_schedulers(checkpoint, file, family, in_channels == 9, distilled);
  }
  checkpoint.index = model_index(checkpoint, family);
  if (record.contains("index") && record["index"].is_object()) {
    for (const auto& [key, value] : record["index"].items()) {
      if (value.is_boolean() || value.is_number()) checkpoint.index[key] = value;
    }
  }
  warn_of_others(checkpoint, file);
  return checkpoint;
}

CheckpointPart open_single_part(const fs::path& path, const std::string& asked,
                                const CheckpointOptions& options, const Json* like) {
  const File file = read_file(path, options);
  // Both kinds of autoencoder do the same work; the tensors tell which one it is.
  const bool tiny = asked == "AutoencoderKL" && lone_network(file.tensors) == "AutoencoderTiny";
  const std::string class_name = tiny ? "AutoencoderTiny" : asked;
  DeduceOptions deduce{.what = file.what(), .like = like, .keep_unknown = options.keep_unknown};
  const auto inside = [&](const std::string& prefix) {
    return has_prefix(file.tensors, prefix) ? without_prefix(file.tensors, prefix) : file.tensors;
  };
  const std::string found = lone_network(file.tensors);
  const bool whole = has_prefix(file.tensors, kUNet) &&
                     (has_prefix(file.tensors, kVae[0]) || has_prefix(file.tensors, kControl));
  const bool text = class_name.starts_with("CLIPText");
  if (!whole && found != class_name && !(text && found.starts_with("CLIPText"))) {
    const std::string other = known_but_not_run(file.tensors);
    fail(Cause::BadInput, file.what(), ": expected the tensors of a ", class_name, ", found ",
         !other.empty()   ? other
         : !found.empty() ? "a " + found
                          : concat("others, for instance \"", file.tensors.begin()->first, "\""));
  }
  CheckpointPart part;
  if (class_name == "UNet2DConditionModel") {
    part = unet_part(inside(kUNet), deduce);
  } else if (class_name == "ControlNetModel") {
    part = controlnet_part(inside(kControl), deduce);
  } else if (class_name == "AutoencoderKL") {
    deduce.sample_size = 512;
    part = vae_part(inside(vae_prefix(file.tensors)), deduce);
  } else if (class_name == "AutoencoderTiny") {
    part = tiny_vae_part(file.tensors, deduce);
  } else if (text) {
    if (class_name == "CLIPTextModelWithProjection" ||
        has_prefix(file.tensors, "transformer.resblocks.") || has_prefix(file.tensors, kOpenClip)) {
      deduce.hidden_act = "gelu";
    }
    part =
        text_encoder_part(inside(has_prefix(file.tensors, kOpenClip) ? kOpenClip : kClip), deduce);
  } else {
    fail(Cause::BadInput, file.what(), ": a ", class_name,
         " is not read from a single file; give a folder with config.json");
  }
  part.where = path;
  part.files = {path};
  return part;
}

}  // namespace affiche::diffusion
