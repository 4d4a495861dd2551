// SPDX-License-Identifier: Apache-2.0
// The files that a request names, by their contents: hashed when a picture is made, found again and
// compared when it is made anew. Thread-safe.
#pragma once

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "recipes/picture_recipe.h"

namespace affiche::recipes {

// The local copy of a model that was fetched by a reference, nothing for plain paths.
using Fetched = std::function<std::optional<std::filesystem::path>(const std::string&)>;

// The SHA-256 of every model, LoRA and picture of the request, whose paths are relative to the
// working folder. Of a model folder: its .json, .txt and weight files, without the parts that are
// never read (safety checker, feature extractor, image encoder). Errors as sha256_file().
std::vector<HashedFile> hash_files(const nlohmann::ordered_json& request, const Fetched& fetched);

// The recipe's request with paths at which the files of these very contents lie: as recorded, or of
// the same name in one of `folders`; references stay. NotFound when a file is nowhere, Conflict
// when the one found differs; the message names the file, the hash expected and the hash found.
nlohmann::ordered_json with_found_files(const PictureRecipe& recipe,
                                        const std::vector<std::filesystem::path>& folders,
                                        const Fetched& fetched, const std::string& what);

// "~/…" for paths in the home folder: published pictures need not tell whose it is.
std::string without_home(const std::filesystem::path& path);

}  // namespace affiche::recipes
