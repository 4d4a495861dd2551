// SPDX-License-Identifier: Apache-2.0
// The networks, tokenizers and schedulers that a pipeline is made of.
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "diffusion/checkpoints/checkpoint.h"
#include "diffusion/nn/autoencoder.h"
#include "diffusion/nn/clip_text_model.h"
#include "diffusion/nn/controlnet_model.h"
#include "diffusion/nn/unet_2d_condition.h"
#include "diffusion/text/clip_tokenizer.h"

namespace affiche::diffusion {

struct Components {
  std::string pipeline_class;  // as model_index.json names it
  CLIPTokenizer tokenizer;
  std::unique_ptr<CLIPTextModel> text_encoder;
  std::optional<CLIPTokenizer> tokenizer_2;       // Stable Diffusion XL
  std::unique_ptr<CLIPTextModel> text_encoder_2;  // likewise
  std::unique_ptr<UNet2DConditionModel> unet;
  std::unique_ptr<Autoencoder> vae;
  std::vector<std::unique_ptr<ControlNetModel>> controlnets;
  CheckpointScheduler scheduler;                         // the model's own
  std::optional<CheckpointScheduler> low_res_scheduler;  // of the upscaler's small picture
  bool force_zeros_for_empty_prompt = true;
  bool requires_aesthetics_score = false;
  std::int64_t max_noise_level = 350;
  std::vector<std::string> warnings;  // of the checkpoint's reader

  bool is_xl() const { return text_encoder_2 != nullptr; }
  bool is_lcm() const { return unet->config().time_cond_proj_dim > 0; }
  bool is_upscaler() const { return low_res_scheduler.has_value(); }
};

// The files of a model: one whole model, and parts that replace or join its own.
struct ModelFiles {
  std::filesystem::path model;  // folder or single file
  std::filesystem::path unet;   // empty: the model's own
  std::filesystem::path vae;    // likewise; AutoencoderKL or AutoencoderTiny
  std::vector<std::filesystem::path> controlnets;
  CheckpointOptions options;
};

// Builds every network and loads its weights, converted to `dtype` on `device`. Errors as
// open_checkpoint(); BadInput for a pipeline class without a UNet or unknown (named, never
// guessed), for configurations that are not built, and for weights or parts that do not fit each
// other.
Components load_components(const ModelFiles& files, at::ScalarType dtype, at::Device device);
// The same of files.model's checkpoint, opened before.
Components load_components(Checkpoint checkpoint_of_model, const ModelFiles& files,
                           at::ScalarType dtype, at::Device device);

// The pipeline classes of diffusers whose models load_pipeline() takes, in the order of the
// alphabet.
std::vector<std::string> pipeline_classes();

}  // namespace affiche::diffusion
