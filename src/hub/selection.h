// SPDX-License-Identifier: Apache-2.0
// Which files of a repository a pipeline needs. Repositories hold the same weights in several
// formats and precisions; one of each part is enough.
#pragma once

#include <string>
#include <vector>

#include "hub/listing.h"

namespace affiche::hub {

struct Wish {
  std::string variant;                // "fp16"; empty: the plain files
  std::vector<std::string> includes;  // globs over the paths; given: they alone decide …
  std::vector<std::string> excludes;  // … but for these
};

struct Selection {
  std::vector<RepoFile> files;
  std::string model;  // the path that --model takes inside the repository; empty: its folder
  std::vector<std::string> warnings;
};

inline constexpr const char* kModelIndex = "model_index.json";

// For a diffusers folder, `index` is the text of its model_index.json: the index, and of each part
// that it names the configuration and the weights as safetensors, in the wished variant where there
// is one. Without an index: a folder of one network (config.json and its weights), or the one
// safetensors file. The safety checker and its like, other formats and other variants stay out.
// NotFound, with what there is, when nothing fits; `what` names the repository.
Selection select_files(const std::vector<RepoFile>& files, const std::string& index,
                       const Wish& wish, const std::string& what);

// The one file; NotFound with the nearest names.
Selection select_file(const std::vector<RepoFile>& files, const std::string& path,
                      const std::string& what);

}  // namespace affiche::hub
