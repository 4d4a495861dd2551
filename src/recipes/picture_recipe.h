// SPDX-License-Identifier: Apache-2.0
// The full recipe of a generated picture: a request as `generate --request` takes it, with every
// option that decides the pixels, and under "made_with" what it met on the machine that made it.
//
//   {"model": "models/brand", "prompt": …, "seed": 7, …,
//    "made_with": {"affiche": "0.1.0", "libtorch": "2.13.0", "rng": "torch CPU generator",
//                  "dtype": "fp32", "device": "cpu", "threads": 2, "picture": 0, "pictures": 1,
//                  "files": [{"role": "model", "path": "models/brand",
//                             "file": "unet/config.json", "sha256": …}, …]}}
//
// imaging/recipe.h has the smaller recipe that keys the cache of backgrounds. Thread-safe.
#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/files.h"
#include "recipes/parameters.h"

namespace affiche::recipes {

struct Making {
  std::string build;     // affiche's version
  std::string libtorch;  // its version
  std::string dtype;     // "fp32"
  std::string device;    // "cpu"
  int threads = 1;
  std::int64_t picture = 0;  // which of the request's pictures this is
  std::int64_t pictures = 1;
  int quality = 0;  // of a JPEG or WebP; PNG has none
};

// A file of a request: of a model folder, each one that is read.
struct HashedFile {
  std::string role;  // "model", "lora", "image" …: the request's key
  std::string path;  // as the request has it
  std::string file;  // within a folder; empty: path is the file
  std::string sha256;
  bool operator==(const HashedFile&) const = default;
};

nlohmann::ordered_json picture_recipe(const nlohmann::ordered_json& request,
                                      const std::vector<HashedFile>& files, const Making& making);

// Back into its parts. BadInput, naming `what`, for JSON of another shape.
struct PictureRecipe {
  nlohmann::ordered_json request;
  std::vector<HashedFile> files;
  Making making;
};
PictureRecipe read_picture_recipe(const nlohmann::ordered_json& json, const std::string& what);

// The same in the words of A1111's web UI, for the programs that read those.
Parameters parameters_of(const nlohmann::ordered_json& recipe);

// What a picture file carries: for PNG `png_text`, for JPEG and WebP `exif` and `xmp`.
struct PictureMetadata {
  std::vector<std::pair<std::string, std::string>> png_text;
  Bytes exif;
  std::string xmp;
};
PictureMetadata metadata_of(const nlohmann::ordered_json& recipe);

// What a picture of any program says of its making.
struct PictureOrigin {
  std::optional<nlohmann::ordered_json> recipe;  // ours
  std::string parameters;                        // A1111's text, empty: none
  std::string prompt, workflow;                  // ComfyUI's JSON of both forms, empty: none
  bool known() const {
    return recipe || !parameters.empty() || !prompt.empty() || !workflow.empty();
  }
};
// Errors as read_picture_text(); BadInput when our recipe is there and is not valid JSON.
PictureOrigin read_origin(std::span<const std::uint8_t> bytes, const std::string& what);

}  // namespace affiche::recipes
