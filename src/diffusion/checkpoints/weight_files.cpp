// SPDX-License-Identifier: Apache-2.0
#include "diffusion/checkpoints/weight_files.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <tuple>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "diffusion/weights/gguf.h"
#include "diffusion/weights/safetensors.h"
#include "diffusion/weights/torch_pickle.h"

namespace affiche::diffusion {
namespace {

namespace fs = std::filesystem;

// A file, or the index of shards, that holds the weights.
struct Source {
  fs::path file;
  bool sharded = false;
};

struct Pattern {
  std::string head, tail;
  bool sharded;
};

// The precision that loses nothing first.
int rank(const std::string& variant) {
  constexpr std::array<std::string_view, 5> kOrder = {"", "fp32", "bf16", "fp16", "non_ema"};
  return static_cast<int>(std::find(kOrder.begin(), kOrder.end(), variant) - kOrder.begin());
}

// The variant in a file name that fits the pattern, "" for the plain name.
std::optional<std::string> variant_of(const std::string& name, const Pattern& pattern) {
  if (name == pattern.head + pattern.tail) return "";
  const std::string head = pattern.head + ".";
  if (name.size() <= head.size() + pattern.tail.size() || !name.starts_with(head) ||
      !name.ends_with(pattern.tail)) {
    return std::nullopt;
  }
  std::string variant = name.substr(head.size(), name.size() - head.size() - pattern.tail.size());
  if (variant.find('.') != variant.npos) return std::nullopt;
  return variant;
}

std::optional<Source> find_source(const fs::path& folder, const std::string& stem,
                                  const std::string& extension) {
  const Pattern patterns[] = {{stem, extension, false},
                              {stem + extension + ".index", ".json", true}};
  std::optional<Source> best;
  std::tuple<int, std::string, bool> best_key;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    for (const Pattern& pattern : patterns) {
      const std::optional<std::string> variant = variant_of(name, pattern);
      if (!variant) continue;
      const std::tuple key{rank(*variant), *variant, pattern.sharded};
      if (best && best_key < key) continue;
      best = Source{entry.path(), pattern.sharded};
      best_key = key;
    }
  }
  return best;
}

// "SHARD": a file beside the index and nowhere else.
fs::path shard_path(const fs::path& index, const Json& name) {
  const std::string text = name.is_string() ? name.get<std::string>() : std::string();
  if (text.empty() || text == "." || text == ".." || text.find('/') != text.npos ||
      text.find('\0') != text.npos) {
    fail(Cause::BadInput, index.string(), ": weight_map: expected names of files beside it, found ",
         name.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return index.parent_path() / text;
}

FolderWeights load_shards(const fs::path& index, const CheckpointOptions& options) {
  const Json json = parse_json(read_text(index), index.string());
  const auto map = json.is_object() ? json.find("weight_map") : json.end();
  if (map == json.end() || !map->is_object() || map->empty()) {
    fail(Cause::BadInput, index.string(), ": expected an object \"weight_map\" of tensors");
  }
  std::map<fs::path, std::set<std::string>> shards;
  for (const auto& [tensor, shard] : map->items()) {
    shards[shard_path(index, shard)].insert(tensor);
  }
  FolderWeights weights;
  for (const auto& [file, expected] : shards) {
    if (!fs::exists(file)) {
      fail(Cause::BadInput, index.string(), ": the shard ", file.filename().string(),
           " is missing; download it into the same folder");
    }
    StateDict tensors = load_weight_file(file, options);
    for (const std::string& name : expected) {
      if (!tensors.contains(name)) {
        fail(Cause::BadInput, file.string(), ": the tensor \"", name, "\" is missing; ",
             index.filename().string(), " says that it is here");
      }
    }
    for (auto& [name, tensor] : tensors) {
      if (!expected.contains(name)) {
        fail(Cause::BadInput, file.string(), ": holds the tensor \"", name, "\", which ",
             index.filename().string(), " does not name for it");
      }
      weights.tensors.emplace(name, std::move(tensor));
    }
    weights.files.push_back(file);
  }
  return weights;
}

FolderWeights load_source(const Source& source, const CheckpointOptions& options) {
  if (source.sharded) return load_shards(source.file, options);
  return {load_weight_file(source.file, options), {source.file}};
}

}  // namespace

StateDict load_weight_file(const fs::path& file, const CheckpointOptions& options) {
  if (is_gguf(file)) return load_gguf(file).tensors;
  if (!is_torch_pickle(file)) return load_safetensors(file);
  if (!options.allow_pickle) {
    fail(Cause::Refused, file.string(),
         ": a pickle of torch.save(); such files are off by default. Nothing in them is run here: "
         "allow them with --allow-pickle, or take the .safetensors file of the model");
  }
  return load_torch_state_dict(file);
}

FolderWeights load_folder_weights(const fs::path& folder, const std::string& stem,
                                  const CheckpointOptions& options) {
  if (const auto source = find_source(folder, stem, ".safetensors")) {
    return load_source(*source, options);
  }
  // transformers calls its older files differently.
  const std::string old = stem == "model" ? "pytorch_model" : stem;
  if (const auto source = find_source(folder, old, ".bin")) return load_source(*source, options);
  fail(Cause::BadInput, folder.string(), ": expected ", stem, ".safetensors, found none");
}

}  // namespace affiche::diffusion
