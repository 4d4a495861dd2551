// SPDX-License-Identifier: Apache-2.0
#include "recipes/widgets.h"

#include <map>

namespace affiche::recipes {

const std::vector<std::string>* widget_names(const std::string& type) {
  using Names = std::vector<std::string>;
  // Behind a seed the editor keeps "control after generate", behind a picture its upload button.
  static const std::map<std::string, Names> kNames = {
      {"BasicScheduler", {"scheduler", "steps", "denoise"}},
      {"CFGGuider", {"cfg"}},
      {"CLIPLoader", {"clip_name", "type", "device"}},
      {"CLIPSetLastLayer", {"stop_at_clip_layer"}},
      {"CLIPTextEncode", {"text"}},
      {"CLIPTextEncodeSDXL",
       {"width", "height", "crop_w", "crop_h", "target_width", "target_height", "text_g",
        "text_l"}},
      {"CLIPTextEncodeSDXLRefiner", {"ascore", "width", "height", "text"}},
      {"Canny", {"low_threshold", "high_threshold"}},
      {"CheckpointLoader", {"config_name", "ckpt_name"}},
      {"CheckpointLoaderSimple", {"ckpt_name"}},
      {"ConditioningAverage", {"conditioning_to_strength"}},
      {"ConditioningSetArea", {"width", "height", "x", "y", "strength"}},
      {"ConditioningSetMask", {"strength", "set_cond_area"}},
      {"ConditioningSetTimestepRange", {"start", "end"}},
      {"ControlNetApply", {"strength"}},
      {"ControlNetApplyAdvanced", {"strength", "start_percent", "end_percent"}},
      {"ControlNetApplySD3", {"strength", "start_percent", "end_percent"}},
      {"ControlNetLoader", {"control_net_name"}},
      {"DiffControlNetLoader", {"control_net_name"}},
      {"DualCLIPLoader", {"clip_name1", "clip_name2", "type", "device"}},
      {"EmptyLatentImage", {"width", "height", "batch_size"}},
      {"EmptySD3LatentImage", {"width", "height", "batch_size"}},
      {"ExponentialScheduler", {"steps", "sigma_max", "sigma_min"}},
      {"FeatherMask", {"left", "top", "right", "bottom"}},
      {"FluxGuidance", {"guidance"}},
      {"FreeU", {"b1", "b2", "s1", "s2"}},
      {"FreeU_V2", {"b1", "b2", "s1", "s2"}},
      {"GrowMask", {"expand", "tapered_corners"}},
      {"ImagePadForOutpaint", {"left", "top", "right", "bottom", "feathering"}},
      {"ImageScale", {"upscale_method", "width", "height", "crop"}},
      {"ImageScaleBy", {"upscale_method", "scale_by"}},
      {"ImageScaleToTotalPixels", {"upscale_method", "megapixels", "resolution_steps"}},
      {"ImageToMask", {"channel"}},
      {"InpaintModelConditioning", {"noise_mask"}},
      {"KSampler", {"seed", kNoWidget, "steps", "cfg", "sampler_name", "scheduler", "denoise"}},
      {"KSamplerAdvanced",
       {"add_noise", "noise_seed", kNoWidget, "steps", "cfg", "sampler_name", "scheduler",
        "start_at_step", "end_at_step", "return_with_leftover_noise"}},
      {"KSamplerSelect", {"sampler_name"}},
      {"KarrasScheduler", {"steps", "sigma_max", "sigma_min", "rho"}},
      {"LatentUpscale", {"upscale_method", "width", "height", "crop"}},
      {"LatentUpscaleBy", {"upscale_method", "scale_by"}},
      {"LoadImage", {"image", kNoWidget}},
      {"LoadImageMask", {"image", "channel", kNoWidget}},
      {"LoraLoader", {"lora_name", "strength_model", "strength_clip"}},
      {"LoraLoaderModelOnly", {"lora_name", "strength_model"}},
      {"MarkdownNote", {kNoWidget}},
      {"ModelSamplingContinuousEDM", {"sampling", "sigma_max", "sigma_min"}},
      {"ModelSamplingDiscrete", {"sampling", "zsnr"}},
      {"ModelSamplingSD3", {"shift"}},
      {"Note", {kNoWidget}},
      {"PrimitiveBoolean", {"value"}},
      {"PrimitiveFloat", {"value"}},
      {"PrimitiveInt", {"value", kNoWidget}},
      {"PrimitiveString", {"value"}},
      {"PrimitiveStringMultiline", {"value"}},
      {"RandomNoise", {"noise_seed", kNoWidget}},
      {"RepeatLatentBatch", {"amount"}},
      {"RescaleCFG", {"multiplier"}},
      {"SamplerCustom", {"add_noise", "noise_seed", kNoWidget, "cfg"}},
      {"SaveImage", {"filename_prefix"}},
      {"SetUnionControlNetType", {"type"}},
      {"TripleCLIPLoader", {"clip_name1", "clip_name2", "clip_name3"}},
      {"UNETLoader", {"unet_name", "weight_dtype"}},
      {"UpscaleModelLoader", {"model_name"}},
      {"VAEDecodeTiled", {"tile_size", "overlap", "temporal_size", "temporal_overlap"}},
      {"VAEEncodeForInpaint", {"grow_mask_by"}},
      {"VAEEncodeTiled", {"tile_size", "overlap", "temporal_size", "temporal_overlap"}},
      {"VAELoader", {"vae_name"}},
      {"unCLIPCheckpointLoader", {"ckpt_name"}},
  };
  const auto found = kNames.find(type);
  return found == kNames.end() ? nullptr : &found->second;
}

}  // namespace affiche::recipes
