// SPDX-License-Identifier: Apache-2.0
#include "hub/selection.h"

#include <fnmatch.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"
#include "hub/reference.h"

namespace affiche::hub {
namespace {

// Parts that check or decorate pictures: the engine leaves them out as well.
bool is_left_out(const std::string& part) {
  return part == "safety_checker" || part == "feature_extractor" || part == "image_encoder" ||
         part == "watermarker";
}

bool ends_with_any(const std::string& name, std::initializer_list<const char*> endings) {
  return std::any_of(endings.begin(), endings.end(),
                     [&](const char* ending) { return name.ends_with(ending); });
}

// "-00001-of-00004" at the end is cut off.
bool cut_shard(std::string& stem) {
  const std::size_t length = std::string("-00001-of-00004").size();
  if (stem.size() <= length) return false;
  const std::string end = stem.substr(stem.size() - length);
  if (fnmatch("-[0-9][0-9][0-9][0-9][0-9]-of-[0-9][0-9][0-9][0-9][0-9]", end.c_str(), 0) != 0) {
    return false;
  }
  stem.resize(stem.size() - length);
  return true;
}

// The variant of a weights file or of its index ("" for the plain one), in all the places where
// diffusers and transformers have put it; nothing for other files.
std::optional<std::string> variant_of(const std::string& name) {
  std::string stem = name;
  std::string variant;
  const std::size_t index = name.find(".safetensors.index.");
  if (index != std::string::npos && name.ends_with(".json")) {
    const std::size_t start = index + std::string(".safetensors.index.").size();
    stem = name.substr(0, index);
    if (start + 5 <= name.size()) variant = name.substr(start, name.size() - start - 5);
  } else if (name.ends_with(".safetensors")) {
    stem = name.substr(0, name.size() - std::string(".safetensors").size());
  } else {
    return {};
  }
  cut_shard(stem);
  if (const std::size_t dot = stem.find('.'); dot != std::string::npos) {
    variant = stem.substr(dot + 1);
    stem.resize(dot);
    cut_shard(stem);
  }
  if (stem != "diffusion_pytorch_model" && stem != "model") return {};
  if (variant.starts_with(".")) variant.erase(0, 1);
  return variant;
}

std::string list(const std::set<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

// One folder of a network, tokenizer or scheduler. `prefix` is "unet/", or empty for the root.
class Part {
 public:
  Part(const std::vector<RepoFile>& files, std::string prefix) : prefix_(std::move(prefix)) {
    for (const RepoFile& file : files) {
      if (!file.path.starts_with(prefix_)) continue;
      const std::string name = file.path.substr(prefix_.size());
      if (name.find('/') != std::string::npos) continue;
      if (const auto variant = variant_of(name)) {
        weights_[*variant].push_back(file);
      } else if (ends_with_any(name, {".json", ".txt", ".model"}) &&
                 name.find(".index.") == std::string::npos && name != kModelIndex) {
        rest_.push_back(file);
      } else if (ends_with_any(name, {".bin", ".ckpt", ".pt", ".pth", ".safetensors", ".msgpack",
                                      ".onnx", ".gguf"})) {
        others_.insert(file.path);
      }
    }
  }
  bool empty() const { return weights_.empty() && rest_.empty() && others_.empty(); }
  bool has_weights() const { return !weights_.empty(); }

  void take(const Wish& wish, const std::string& what, Selection& selection) const {
    selection.files.insert(selection.files.end(), rest_.begin(), rest_.end());
    if (weights_.empty() && others_.empty()) return;
    auto chosen = weights_.find(wish.variant);
    if (chosen == weights_.end() && !wish.variant.empty()) {
      chosen = weights_.find("");
      if (chosen != weights_.end()) {
        selection.warnings.push_back(concat(prefix_.empty() ? what : prefix_, " has no variant ",
                                            wish.variant, "; the plain weights are taken"));
      }
    }
    if (chosen == weights_.end()) refuse(what);
    selection.files.insert(selection.files.end(), chosen->second.begin(), chosen->second.end());
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const {
    const std::string where = concat(what, ": ", prefix_.empty() ? "its root" : prefix_);
    if (weights_.empty()) {
      fail(Cause::NotFound, where, ": expected weights as safetensors, found only ", list(others_),
           "; choose files with --include, or one with --file");
    }
    std::set<std::string> variants;
    for (const auto& [variant, files] : weights_) {
      if (!variant.empty()) variants.insert(variant);
    }
    fail(Cause::NotFound, where, ": expected weights without a variant, found ", list(variants),
         "; add --variant ", *variants.begin());
  }

  std::string prefix_;
  std::map<std::string, std::vector<RepoFile>> weights_;  // by variant
  std::vector<RepoFile> rest_;                            // configurations and vocabularies
  std::set<std::string> others_;                          // weights in other formats
};

bool matches(const std::vector<std::string>& globs, const std::string& path) {
  return std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
    return fnmatch(glob.c_str(), path.c_str(), 0) == 0;
  });
}

const RepoFile* find(const std::vector<RepoFile>& files, const std::string& path) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const RepoFile& file) { return file.path == path; });
  return found == files.end() ? nullptr : &*found;
}

void take_pipeline(const std::vector<RepoFile>& files, const std::string& text, const Wish& wish,
                   const std::string& what, Selection& selection) {
  const std::string name = what + ": " + kModelIndex;
  const Json index = parse_json(text, name, true);
  if (!index.is_object()) fail(Cause::BadInput, name, ": expected an object");
  selection.files.push_back(*find(files, kModelIndex));
  for (const auto& [part, value] : index.items()) {
    // Entries with a leading underscore, numbers and null parts are no folders.
    if (part.starts_with("_") || !value.is_array() || value.size() != 2 || !value[1].is_string() ||
        is_left_out(part)) {
      continue;
    }
    check_repo_path(part, name);
    const Part folder(files, part + "/");
    if (folder.empty()) {
      fail(Cause::NotFound, what, ": expected the folder ", part, "/ that ", kModelIndex,
           " names, found none");
    }
    folder.take(wish, what, selection);
  }
}

// The one file of weights in the root, such as a LoRA or a single-file checkpoint.
void take_single(const std::vector<RepoFile>& files, const std::string& what,
                 Selection& selection) {
  std::vector<const RepoFile*> found;
  for (const RepoFile& file : files) {
    if (file.path.find('/') == std::string::npos && file.path.ends_with(".safetensors")) {
      found.push_back(&file);
    }
  }
  if (found.size() == 1) {
    selection.files.push_back(*found[0]);
    selection.model = found[0]->path;
    return;
  }
  std::set<std::string> known;
  for (const RepoFile& file : files) {
    if (known.size() < 12 && ends_with_any(file.path, {".safetensors", ".ckpt", ".gguf", ".pt"})) {
      known.insert(file.path);
    }
  }
  fail(Cause::NotFound, what, ": expected ", kModelIndex,
       ", config.json with weights, or one safetensors file, found ",
       known.empty() ? "no weights" : list(known), "; name a file with --file");
}

}  // namespace

Selection select_files(const std::vector<RepoFile>& files, const std::string& index,
                       const Wish& wish, const std::string& what) {
  Selection selection;
  const Part root(files, "");
  if (!wish.includes.empty()) {
    for (const RepoFile& file : files) {
      if (matches(wish.includes, file.path)) selection.files.push_back(file);
    }
  } else if (find(files, kModelIndex) != nullptr) {
    take_pipeline(files, index, wish, what, selection);
  } else if (find(files, "config.json") != nullptr && root.has_weights()) {
    root.take(wish, what, selection);
  } else {
    take_single(files, what, selection);
  }
  std::erase_if(selection.files,
                [&](const RepoFile& file) { return matches(wish.excludes, file.path); });
  if (selection.files.empty()) {
    fail(Cause::NotFound, what, ": no file of ", files.size(),
         " is left by --include and --exclude");
  }
  return selection;
}

Selection select_file(const std::vector<RepoFile>& files, const std::string& path,
                      const std::string& what) {
  if (const RepoFile* file = find(files, path)) return {{*file}, path, {}};
  std::vector<std::string> known;
  for (const RepoFile& file : files) known.push_back(file.path);
  std::string hint = suggestion(path, known);
  if (hint.starts_with(" (known")) {
    known.resize(std::min<std::size_t>(known.size(), 20));
    hint = suggestion(path, known);
  }
  fail(Cause::NotFound, what, ": no file \"", path, "\" in the repository", hint);
}

}  // namespace affiche::hub
