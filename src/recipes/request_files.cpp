// SPDX-License-Identifier: Apache-2.0
#include "recipes/request_files.h"

#include <algorithm>
#include <cstdlib>
#include <functional>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "base/sha256.h"
#include "recipes/utf.h"

namespace affiche::recipes {
namespace {

namespace fs = std::filesystem;

std::string home() {
  const char* folder = std::getenv("HOME");
  return folder != nullptr ? folder : "";
}

fs::path expanded(const std::string& path) {
  return path.starts_with("~/") && !home().empty() ? fs::path(home()) / path.substr(2)
                                                   : fs::path(path);
}

// Calls with the request's key and the value that holds a path, for each.
void each_path(Json& request, const std::function<void(const std::string&, Json&)>& visit) {
  const auto one_or_more = [&](const std::string& role, Json& value) {
    if (value.is_string()) {
      visit(role, value);
    } else if (value.is_array()) {
      for (Json& item : value) {
        if (item.is_string()) visit(role, item);
      }
    }
  };
  for (const char* role : {"model", "unet", "vae", "controlnet", "image", "mask", "control"}) {
    if (request.contains(role)) one_or_more(role, request[role]);
  }
  for (const char* role : {"lora", "textual_inversion"}) {
    if (!request.contains(role) || !request[role].is_array()) continue;
    for (Json& item : request[role]) {
      one_or_more(role, item.is_object() && item.contains("file") ? item["file"] : item);
    }
  }
}

bool is_read(const fs::path& file) {
  static const std::set<std::string> kEndings = {".bin", ".ckpt", ".gguf", ".json",
                                                 ".pt",  ".pth",  ".txt",  ".safetensors"};
  static const std::set<std::string> kOtherParts = {"feature_extractor", "image_encoder",
                                                    "safety_checker"};
  return kEndings.contains(file.extension()) && !kOtherParts.contains(*file.begin());
}

// Relative names, sorted; "" for a single file.
std::vector<std::string> parts_of(const fs::path& path) {
  if (!fs::is_directory(path)) return {""};
  std::vector<std::string> parts;
  for (const auto& entry : fs::recursive_directory_iterator(path)) {
    const fs::path name = entry.path().lexically_relative(path);
    if (entry.is_regular_file() && is_read(name)) parts.push_back(name.generic_string());
  }
  std::sort(parts.begin(), parts.end());
  return parts;
}

fs::path joined(const fs::path& path, const std::string& part) {
  return part.empty() ? path : path / part;
}

// What this path does not hold, or "".
std::string difference(const fs::path& path, const std::vector<HashedFile>& files) {
  for (const HashedFile& file : files) {
    const fs::path name = joined(path, file.file);
    std::error_code unreadable;
    if (!fs::is_regular_file(name, unreadable)) {
      return concat(name.string(), ": expected SHA-256 ", file.sha256, ", found no such file");
    }
    const std::string found = sha256_file(name);
    if (found != file.sha256) {
      return concat(name.string(), ": expected SHA-256 ", file.sha256, ", found ", found);
    }
  }
  return "";
}

class Finder {
 public:
  Finder(const PictureRecipe& recipe, const std::vector<fs::path>& folders, const Fetched& fetched,
         const std::string& what)
      : recipe_(recipe), folders_(folders), fetched_(fetched), what_(what) {}

  std::string find(const std::string& role, const std::string& path) const {
    std::vector<HashedFile> files;
    for (const HashedFile& file : recipe_.files) {
      const fs::path part = file.file;
      const bool leaves = part.is_absolute() || part.lexically_normal().string().starts_with("..");
      if (leaves) {
        fail(Cause::BadInput, what_, ": \"", clean_text(file.file), "\" is no file within a model");
      }
      if (file.role == role && file.path == path) files.push_back(file);
    }
    if (files.empty()) {
      fail(Cause::BadInput, what_, ": \"", role, "\": the recipe has no hash for ",
           clean_text(path));
    }
    std::string differs;
    for (const fs::path& place : places(path)) {
      std::error_code unreadable;
      if (!fs::exists(place, unreadable)) continue;
      const std::string found = difference(place, files);
      if (found.empty()) return fetched_(path) ? path : place.string();
      if (differs.empty()) differs = found;
    }
    if (!differs.empty()) {
      fail(Cause::Conflict, what_, ": the ", role, " is no longer the one that made it: ", differs,
           "; give the folder of the right one with --models");
    }
    fail(Cause::NotFound, what_, ": the ", role, " ", clean_text(path), " (SHA-256 ",
         files[0].sha256, files[0].file.empty() ? "" : " of its " + files[0].file,
         ") is not there; give the folder that has it with --models");
  }

 private:
  std::vector<fs::path> places(const std::string& path) const {
    if (const std::optional<fs::path> copy = fetched_(path)) return {*copy};
    const fs::path recorded = expanded(path);
    std::vector<fs::path> all = {recorded};
    for (const fs::path& folder : folders_) {
      if (recorded.is_relative()) all.push_back(folder / recorded);
      fs::path name = recorded.filename();
      if (name.empty()) name = recorded.parent_path().filename();
      all.push_back(folder / name);
    }
    return all;
  }

  const PictureRecipe& recipe_;
  const std::vector<fs::path>& folders_;
  const Fetched& fetched_;
  const std::string& what_;
};

}  // namespace

std::vector<HashedFile> hash_files(const Json& request, const Fetched& fetched) {
  std::vector<HashedFile> files;
  Json copy = request;
  each_path(copy, [&](const std::string& role, Json& value) {
    const std::string path = value.get<std::string>();
    const auto known = [&](const HashedFile& file) {
      return file.role == role && file.path == path;
    };
    if (std::any_of(files.begin(), files.end(), known)) return;
    const fs::path place = fetched(path).value_or(expanded(path));
    for (const std::string& part : parts_of(place)) {
      files.push_back({role, path, part, sha256_file(joined(place, part))});
    }
  });
  return files;
}

Json with_found_files(const PictureRecipe& recipe, const std::vector<fs::path>& folders,
                      const Fetched& fetched, const std::string& what) {
  const Finder finder(recipe, folders, fetched, what);
  Json request = recipe.request;
  each_path(request, [&](const std::string& role, Json& value) {
    value = finder.find(role, value.get<std::string>());
  });
  return request;
}

std::string without_home(const fs::path& path) {
  const std::string text = path.lexically_normal().generic_string(), folder = home();
  if (folder.size() > 1 && text.starts_with(folder + "/")) return "~" + text.substr(folder.size());
  return text;
}

}  // namespace affiche::recipes
