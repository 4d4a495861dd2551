// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/family.h"

#include <array>
#include <string_view>
#include <utility>

#include "base/json.h"
#include "diffusion/checkpoints/ldm_names.h"

namespace affiche::diffusion {
namespace {

constexpr FamilyFacts kFacts[] = {{"Stable Diffusion 1.x", 64, 0.18215, 512},
                                  {"Stable Diffusion 2.x", 96, 0.18215, 768},
                                  {"Stable Diffusion XL", 128, 0.13025, 1024},
                                  {"Stable Diffusion x4 upscaler", 128, 0.08333, 256}};

// A name that only this model has. With and without the prefix of whole checkpoints.
struct Mark {
  std::string_view name;
  const char* model;
};
constexpr std::array<Mark, 16> kMarks = {{
    {"conditioner.embedders.0.model.", "an SDXL refiner"},
    {"edm_mean", "a Playground 2.5 model"},
    {"joint_blocks.", "a Stable Diffusion 3 model"},
    {"double_blocks.", "a Flux model"},
    {"double_stream_modulation_img.", "a Flux 2 model"},
    {"double_layers.", "an AuraFlow model"},
    {"adaln_single.", "a PixArt model"},
    {"patchify_proj.", "an LTX video model"},
    {"blocks.0.cross_attn.", "a Sana or Wan model"},
    {"cap_embedder.", "a Lumina model"},
    {"effnet_mapper.", "a Stable Cascade model"},
    {"clip_txt_mapper.", "a Stable Cascade model"},
    {"txt_in.individual_token_refiner.", "a HunyuanVideo model"},
    {"down_blocks.0.motion_modules.", "an AnimateDiff motion adapter"},
    {"input_blocks.1.0.time_stack.", "a Stable Video Diffusion model"},
    {"input_blocks.1.1.qkv.", "a guided-diffusion UNet, older than Stable Diffusion,"},
}};

Json common_scheduler() {
  return {{"beta_end", 0.012},           {"beta_schedule", "scaled_linear"},
          {"beta_start", 0.00085},       {"clip_sample", false},
          {"num_train_timesteps", 1000}, {"prediction_type", "epsilon"},
          {"set_alpha_to_one", false},   {"skip_prk_steps", true},
          {"steps_offset", 1},           {"trained_betas", nullptr}};
}

}  // namespace

const FamilyFacts& facts(Family family) {
  return kFacts[static_cast<std::size_t>(family)];
}

FamilyScheduler family_scheduler(Family family, bool inpainting, bool distilled) {
  Json config = common_scheduler();
  if (distilled) {
    config.erase("skip_prk_steps");
    config["set_alpha_to_one"] = true;
    config["original_inference_steps"] = 50;
    config["timestep_scaling"] = 10.0;
    return {"LCMScheduler", config};
  }
  switch (family) {
    case Family::SDXL:
      config["interpolation_type"] = "linear";
      config["timestep_spacing"] = "leading";
      config["use_karras_sigmas"] = false;
      return {"EulerDiscreteScheduler", config};
    case Family::X4Upscaler:
      config["prediction_type"] = "v_prediction";
      config["beta_start"] = 0.0001;
      config["beta_end"] = 0.02;
      return {"DDIMScheduler", config};
    case Family::SD2:
      if (inpainting) return {"PNDMScheduler", config};
      config["prediction_type"] = "v_prediction";
      return {"DDIMScheduler", config};
    case Family::SD1:
      break;
  }
  return {"PNDMScheduler", config};
}

FamilyScheduler low_res_scheduler() {
  return {"DDPMScheduler",
          {{"beta_end", 0.02},
           {"beta_schedule", "scaled_linear"},
           {"beta_start", 0.0001},
           {"clip_sample", true},
           {"num_train_timesteps", 1000},
           {"prediction_type", "epsilon"},
           {"trained_betas", nullptr},
           {"variance_type", "fixed_small"}}};
}

std::string known_but_not_run(const StateDict& tensors) {
  for (const Mark& mark : kMarks) {
    const std::string name(mark.name);
    for (const char* prefix : {"", "model.diffusion_model."}) {
      if (has_prefix(tensors, prefix + name)) return mark.model;
    }
  }
  for (const auto& [name, tensor] : tensors) {
    for (const char* part : {".lora_down.", ".lora_up.", ".lora_A.", ".lora_B.", ".lora.down.",
                             ".hada_w1_a", ".lokr_w1", "_lora.down."}) {
      if (name.find(part) != name.npos) return "a LoRA file";
    }
  }
  return "";
}

}  // namespace affiche::diffusion
