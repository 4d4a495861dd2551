// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/convert.h"

#include <array>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/random.h"
#include "diffusion/checkpoints/inspect.h"
#include "diffusion/checkpoints/to_ldm.h"
#include "diffusion/text/clip_vocabulary.h"
#include "diffusion/weights/safetensors.h"

namespace affiche::diffusion {
namespace {

namespace fs = std::filesystem;

constexpr std::array<const char*, 6> kTokenizerFiles = {
    "vocab.json",        "merges.txt",    "tokenizer_config.json", "special_tokens_map.json",
    "added_tokens.json", "tokenizer.json"};

void write_json(const fs::path& file, const Json& json) {
  write_atomically(file, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

// A new folder beside `target` that becomes it at the end, or goes.
class FolderInWork {
 public:
  explicit FolderInWork(const fs::path& target)
      : target_(target),
        path_(target.parent_path() / (std::string(kTemporaryPrefix) + random_hex(8))) {
    fs::create_directories(path_);
  }
  ~FolderInWork() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  FolderInWork(const FolderInWork&) = delete;
  FolderInWork& operator=(const FolderInWork&) = delete;
  const fs::path& path() const { return path_; }

  void publish() {
    const fs::path old = path_.string() + "-old";
    if (fs::exists(target_)) fs::rename(target_, old);
    fs::rename(path_, target_);
    fs::remove_all(old);
  }

 private:
  fs::path target_;
  fs::path path_;
};

const char* dtype_name(at::ScalarType type) {
  if (type == at::kHalf) return "float16";
  return type == at::kBFloat16 ? "bfloat16" : "float32";
}

void write_part(const fs::path& folder, const CheckpointPart& part, const ConvertOptions& options) {
  Json config = part.config;
  const bool text = part.class_name.starts_with("CLIPText");
  if (!text) config["_class_name"] = part.class_name;
  for (const char* key : {"dtype", "torch_dtype"}) {
    if (options.floats && config.contains(key)) config[key] = dtype_name(*options.floats);
  }
  write_json(folder / "config.json", config);
  save_safetensors(folder / (text ? "model.safetensors" : "diffusion_pytorch_model.safetensors"),
                   part.weights, {{"format", "pt"}}, options.floats);
}

// The files of the source, or CLIP's where it is a single file.
void write_tokenizer(const fs::path& folder, const fs::path& source, bool exclamation) {
  if (fs::is_directory(source)) {
    for (const char* name : kTokenizerFiles) {
      if (fs::exists(source / name)) write_atomically(folder / name, read_text(source / name));
    }
    return;
  }
  const ClipPadding padding = exclamation ? ClipPadding::Exclamation : ClipPadding::EndOfText;
  const Json special = clip_special_tokens(padding);
  Json config = special;
  config["add_prefix_space"] = false;
  config["do_lower_case"] = true;
  config["errors"] = "replace";
  config["model_max_length"] = 77;
  config["tokenizer_class"] = "CLIPTokenizer";
  for (const char* key : {"bos_token", "eos_token", "unk_token"}) {
    config[key]["__type"] = "AddedToken";
  }
  write_atomically(folder / "vocab.json", clip_vocabulary().dump());
  write_atomically(folder / "merges.txt", clip_merges());
  write_json(folder / "special_tokens_map.json", special);
  write_json(folder / "tokenizer_config.json", config);
}

void write_folder(const Checkpoint& checkpoint, const fs::path& from, const fs::path& to,
                  const ConvertOptions& options) {
  FolderInWork work(to);
  Json index = checkpoint.index;
  for (auto& [name, value] : index.items()) {
    const bool known = checkpoint.parts.contains(name) || checkpoint.tokenizers.contains(name) ||
                       checkpoint.schedulers.contains(name);
    // Parts that are not read, such as the safety checker, are not written either.
    if (value.is_array() && !known) value = Json::array({nullptr, nullptr});
  }
  write_json(work.path() / "model_index.json", index);
  for (const auto& [name, part] : checkpoint.parts) write_part(work.path() / name, part, options);
  for (const auto& [name, tokenizer] : checkpoint.tokenizers) {
    write_tokenizer(work.path() / name, from / name, tokenizer.pad() == 0);
  }
  for (const auto& [name, scheduler] : checkpoint.schedulers) {
    Json config = {{"_class_name", scheduler.class_name}};
    config.update(scheduler.config);
    config["_class_name"] = scheduler.class_name;
    write_json(work.path() / name / "scheduler_config.json", config);
  }
  work.publish();
}

// Absolute, without a slash at its end.
fs::path plain_path(const fs::path& target) {
  const fs::path to = fs::absolute(target).lexically_normal();
  return to.has_filename() ? to : to.parent_path();
}

void check_target(const fs::path& to, const ConvertOptions& options) {
  if (!fs::exists(to)) return;
  if (!options.replace) {
    fail(Cause::Refused, to.string(), ": exists already; choose another name or give --force");
  }
  const bool folder = fs::is_directory(to);
  if (folder != (options.layout == ModelLayout::Folder)) {
    fail(Cause::Refused, to.string(), ": is a ", folder ? "folder" : "file", ", and a ",
         folder ? "file" : "folder", " was asked for; remove it first");
  }
  if (folder && !fs::exists(to / "model_index.json") && !fs::exists(to / "config.json")) {
    fail(Cause::Refused, to.string(),
         ": is a folder without a model, which --force does not touch");
  }
}

std::vector<std::string> convert_part(const CheckpointPart& part, const fs::path& to,
                                      const ConvertOptions& options) {
  if (options.layout == ModelLayout::SingleFile) {
    save_safetensors(to, part_to_ldm(part), {{"format", "pt"}}, options.floats);
    return {};
  }
  FolderInWork work(to);
  write_part(work.path(), part, options);
  work.publish();
  return {};
}

}  // namespace

std::vector<std::string> write_model(const Checkpoint& checkpoint, const fs::path& from,
                                     const fs::path& target, const ConvertOptions& options) {
  const fs::path to = plain_path(target);
  check_target(to, options);
  std::vector<std::string> warnings = checkpoint.warnings;
  if (options.layout == ModelLayout::Folder) {
    write_folder(checkpoint, from, to, options);
  } else {
    std::map<std::string, std::string> metadata;
    const StateDict tensors = checkpoint_to_ldm(checkpoint, metadata, warnings);
    save_safetensors(to, tensors, metadata, options.floats);
  }
  return warnings;
}

std::vector<std::string> convert_model(const fs::path& from, const fs::path& target,
                                       const ConvertOptions& options) {
  const fs::path to = plain_path(target);
  check_target(to, options);
  const std::string network = lone_network_at(from, options.read);
  if (!network.empty()) return convert_part(open_part(from, network, options.read), to, options);
  return write_model(open_checkpoint(from, options.read), from, to, options);
}

}  // namespace affiche::diffusion
