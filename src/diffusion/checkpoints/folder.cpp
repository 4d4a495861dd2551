// SPDX-License-Identifier: Apache-2.0
// Models as diffusers' save_pretrained() writes them.
#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/checkpoints/checkpoint.h"
#include "diffusion/checkpoints/single_file.h"
#include "diffusion/checkpoints/weight_files.h"

namespace affiche::diffusion {
namespace {

namespace fs = std::filesystem;

Json read_json(const fs::path& file) {
  return parse_json(read_text(file), file.string(), true);
}

bool is_text_encoder(const std::string& class_name) {
  return class_name.starts_with("CLIPText") || class_name == "T5EncoderModel";
}

CheckpointPart read_part(const fs::path& folder, const std::string& class_name,
                         const CheckpointOptions& options) {
  const std::string stem = is_text_encoder(class_name) ? "model" : "diffusion_pytorch_model";
  Json config = read_json(folder / "config.json");
  FolderWeights weights = load_folder_weights(folder, stem, options);
  return {class_name, std::move(config), std::move(weights.tensors), folder,
          std::move(weights.files)};
}

// Parts that check or decorate pictures: nothing that they do changes what the model makes.
bool is_left_out(const std::string& part) {
  return part == "safety_checker" || part == "feature_extractor" || part == "image_encoder" ||
         part == "watermarker";
}

void add_part(Checkpoint& checkpoint, const fs::path& folder, const std::string& name,
              const std::string& class_name, const CheckpointOptions& options) {
  if (name.find("tokenizer") != std::string::npos) {
    if (class_name.starts_with("T5Tokenizer")) {
      checkpoint.t5_tokenizers.emplace(name, T5Tokenizer::from_folder(folder));
    } else {
      checkpoint.tokenizers.emplace(name, CLIPTokenizer::from_folder(folder));
    }
  } else if (name.find("scheduler") != std::string::npos) {
    checkpoint.schedulers[name] = {class_name, read_json(folder / "scheduler_config.json")};
  } else {
    checkpoint.parts.emplace(name, read_part(folder, class_name, options));
  }
}

// A hint for folders that only hold a model of one file.
std::string single_file_in(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string extension = entry.path().extension().string();
    if (extension == ".safetensors" || extension == ".ckpt") {
      return "; give the file itself: " + entry.path().string();
    }
  }
  return "";
}

}  // namespace

Checkpoint open_checkpoint(const fs::path& path, const CheckpointOptions& options) {
  if (fs::is_regular_file(path)) return open_single_file(path, options);
  if (!fs::is_directory(path)) {
    fail(Cause::NotFound, path.string(), ": expected a diffusers folder or a file, found nothing");
  }
  const fs::path index_file = path / "model_index.json";
  if (!fs::exists(index_file)) {
    fail(Cause::BadInput, path.string(),
         ": expected a diffusers folder with model_index.json, found none", single_file_in(path));
  }
  Checkpoint checkpoint;
  checkpoint.index = read_json(index_file);
  if (!checkpoint.index.is_object() || !checkpoint.index.contains("_class_name") ||
      !checkpoint.index["_class_name"].is_string()) {
    fail(Cause::BadInput, index_file.string(), ": expected an object with \"_class_name\"");
  }
  checkpoint.pipeline_class = checkpoint.index["_class_name"].get<std::string>();
  for (const auto& [name, value] : checkpoint.index.items()) {
    if (!value.is_array() || is_left_out(name)) continue;
    if (name.empty() || name == "." || name == ".." || name.find('/') != name.npos) {
      fail(Cause::BadInput, index_file.string(), ": expected names of folders in it, found \"",
           name, "\"");
    }
    if (value.size() != 2 || !(value[1].is_string() || value[1].is_null())) {
      fail(Cause::BadInput, index_file.string(), ": \"", name, "\": expected [library, class]");
    }
    if (value[1].is_string()) {
      add_part(checkpoint, path / name, name, value[1].get<std::string>(), options);
    }
  }
  return checkpoint;
}

CheckpointPart open_part(const fs::path& path, const std::string& class_name,
                         const CheckpointOptions& options, const Json* like) {
  if (fs::is_regular_file(path)) return open_single_part(path, class_name, options, like);
  if (!fs::is_directory(path)) {
    fail(Cause::NotFound, path.string(),
         ": expected a folder with config.json or a file, found nothing");
  }
  return read_part(path, class_name, options);
}

}  // namespace affiche::diffusion
