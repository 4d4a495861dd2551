// SPDX-License-Identifier: Apache-2.0
// A model as it lies on disk, before any network is built: what each part is and its tensors, under
// diffusers' names whatever the file calls them.
#pragma once

#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "diffusion/text/clip_tokenizer.h"
#include "diffusion/text/t5_tokenizer.h"
#include "diffusion/weights/state_dict.h"

namespace affiche::diffusion {

struct CheckpointOptions {
  // Read .ckpt and .pt files. Our reader runs no code of theirs, but such files are off by default.
  bool allow_pickle = false;
  // Tensors of a single file that belong to no layer stay among the weights under the file's names,
  // for reports, instead of being refused.
  bool keep_unknown = false;
};

struct CheckpointPart {
  std::string class_name;         // "UNet2DConditionModel", "CLIPTextModelWithProjection", …
  nlohmann::ordered_json config;  // its config.json, or what the tensors say
  StateDict weights;              // mapped where the format allows it
  std::filesystem::path where;    // folder or file, for messages
  std::vector<std::filesystem::path> files;  // that hold the weights
};

struct CheckpointScheduler {
  std::string class_name;
  nlohmann::ordered_json config;  // as written, defaults not filled in
};

struct Checkpoint {
  std::string pipeline_class;    // "StableDiffusionPipeline", "StableDiffusionXLPipeline", …
  nlohmann::ordered_json index;  // model_index.json, or what it would be
  std::map<std::string, CheckpointPart> parts;  // "unet", "vae", "text_encoder", "text_encoder_2"
  std::map<std::string, CLIPTokenizer> tokenizers;        // "tokenizer", "tokenizer_2"
  std::map<std::string, T5Tokenizer> t5_tokenizers;       // "tokenizer_2" of Flux, "tokenizer_3"
  std::map<std::string, CheckpointScheduler> schedulers;  // "scheduler", "low_res_scheduler"
  std::vector<std::string> warnings;
};

// A diffusers folder or a single file. Null parts of model_index.json are left out, and so are the
// safety checker, feature extractor, image encoder and watermarker. NotFound for missing files;
// BadInput, naming file and tensor, for damaged ones, and for what is not known.
Checkpoint open_checkpoint(const std::filesystem::path& path,
                           const CheckpointOptions& options = {});

// One network alone, as `class_name`: a folder with config.json, or a single file, also GGUF. What
// a file cannot state (heads, groups, scaling) is taken from `like`, the configuration of the part
// that this one replaces, where their widths agree; else from the published models of the family.
CheckpointPart open_part(const std::filesystem::path& path, const std::string& class_name,
                         const CheckpointOptions& options = {},
                         const nlohmann::ordered_json* like = nullptr);

}  // namespace affiche::diffusion
