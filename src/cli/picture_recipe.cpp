// SPDX-License-Identifier: Apache-2.0
#include "cli/picture_recipe.h"

#include <ATen/Parallel.h>
#include <torch/version.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/toml_json.h"
#include "cli/model.h"
#include "diffusion/pipelines/request_to_json.h"
#include "hub/reference.h"
#include "recipes/import.h"
#include "recipes/picture_text.h"
#include "recipes/request_files.h"

namespace affiche::cli {
namespace {

namespace fs = std::filesystem;

// The reader names the key; the table knows its line.
[[noreturn]] void refuse_at_line(const Error& error, const toml::table& table,
                                 const std::string& what) {
  const std::string message = error.what();
  for (const auto& [key, value] : table) {
    const std::string name(key.str());
    const std::size_t quoted = message.find("\"" + name + "\"");
    const std::size_t part = message.find("\"" + name + ".");
    if (std::min(quoted, part) != std::string::npos) {
      fail(error.cause(), place_of(table, name, what), message.substr(what.size()));
    }
  }
  throw error;
}

// Where the models of references lie; the cache keeps them while this process has them in use.
recipes::Fetched fetched(const GenerateOptions& options) {
  Shared shared;
  shared.config_file = options.config_file;
  return [shared](const std::string& name) -> std::optional<fs::path> {
    if (!hub::is_reference(name)) return std::nullopt;
    return model_place(name, shared).path;
  };
}

std::string path_text(const fs::path& path) {
  return hub::is_reference(path.string()) ? path.string() : recipes::without_home(path);
}

}  // namespace

bool is_picture(const fs::path& file) {
  Bytes start(12);
  std::ifstream stream(file, std::ios::binary);
  stream.read(reinterpret_cast<char*>(start.data()), static_cast<std::streamsize>(start.size()));
  start.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  return recipes::picture_kind(start).has_value();
}

recipes::PictureRecipe recipe_of_picture(const fs::path& file) {
  const recipes::PictureOrigin origin = recipes::read_origin(read_bytes(file), file.string());
  if (!origin.recipe) {
    fail(Cause::BadInput, file.string(),
         origin.known()
             ? ": expected a recipe of affiche, found one of another program; translate it with "
               "affiche recipe import"
             : ": expected a picture that carries a recipe of affiche, found none; programs that "
               "resize or publish pictures often take it out");
  }
  return recipes::read_picture_recipe(*origin.recipe, file.string());
}

diffusion::RequestFile read_recipe(const GenerateOptions& options) {
  const fs::path file = options.recipe;
  const std::string what = file.string();
  if (is_picture(file)) {
    std::vector<fs::path> folders = {file.parent_path()};
    folders.insert(folders.end(), options.models.begin(), options.models.end());
    return diffusion::read_request(
        recipes::with_found_files(recipe_of_picture(file), folders, fetched(options), what), "",
        what);
  }
  const toml::table table = parse_toml_file(file);
  recipes::Imported recipe{"", toml_to_json(table, what), {}};
  for (const std::string& folder : options.models) {
    recipes::locate_files(recipe, folder, file.parent_path());
  }
  try {
    return diffusion::read_request(recipe.request, file.parent_path(), what);
  } catch (const Error& error) {
    refuse_at_line(error, table, what);
  }
}

std::vector<cards::Metadata> metadata_for(const diffusion::RequestFile& file,
                                          const diffusion::Pipeline::Traits& model,
                                          const diffusion::Generation& made,
                                          const GenerateOptions& options,
                                          const recipes::PictureRecipe* again) {
  Json request = diffusion::request_to_json(file, model, made, path_text);
  std::vector<recipes::HashedFile> files;
  if (again != nullptr) {
    // The very same files, found elsewhere perhaps.
    request = again->request;
    files = again->files;
  } else {
    files = recipes::hash_files(request, fetched(options));
  }
  recipes::Making making{AFFICHE_VERSION,    TORCH_VERSION,         options.dtype,
                         options.device,     at::get_num_threads(), 0,
                         made.images.size(0)};
  if (cards::format_for(options.out) != cards::Format::Png) {
    making.quality = options.quality.value_or(kQuality);
  }
  std::vector<cards::Metadata> all;
  for (making.picture = 0; making.picture < making.pictures; ++making.picture) {
    recipes::PictureMetadata metadata =
        recipes::metadata_of(recipes::picture_recipe(request, files, making));
    all.push_back(
        {std::move(metadata.xmp), std::move(metadata.exif), std::move(metadata.png_text)});
  }
  return all;
}

}  // namespace affiche::cli
