// SPDX-License-Identifier: Apache-2.0
#include "recipes/picture_recipe.h"

#include <algorithm>

#include "base/error.h"
#include "base/json.h"
#include "recipes/picture_text.h"
#include "recipes/utf.h"
#include "recipes/xmp.h"

namespace affiche::recipes {
namespace {

constexpr const char* kRng = "torch CPU generator";

std::string dumped(const Json& json) {
  // ASCII only: no program on the way can mistake the encoding.
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

bool carries_json(const std::string& text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string::npos && text[first] == '{';
}

}  // namespace

Json picture_recipe(const Json& request, const std::vector<HashedFile>& files,
                    const Making& making) {
  Json list = Json::array();
  for (const HashedFile& file : files) {
    list.push_back(
        {{"role", file.role}, {"path", file.path}, {"file", file.file}, {"sha256", file.sha256}});
  }
  Json recipe = request;
  recipe["made_with"] = {
      {"affiche", making.build},   {"libtorch", making.libtorch}, {"rng", kRng},
      {"dtype", making.dtype},     {"device", making.device},     {"threads", making.threads},
      {"picture", making.picture}, {"pictures", making.pictures}, {"files", std::move(list)}};
  if (making.quality > 0) recipe["made_with"]["quality"] = making.quality;
  return recipe;
}

PictureRecipe read_picture_recipe(const Json& json, const std::string& what) {
  PictureRecipe found;
  try {
    found.request = json;
    const Json& made = json.at("made_with");
    made.at("affiche").get_to(found.making.build);
    made.at("libtorch").get_to(found.making.libtorch);
    made.at("dtype").get_to(found.making.dtype);
    made.at("device").get_to(found.making.device);
    made.at("threads").get_to(found.making.threads);
    made.at("picture").get_to(found.making.picture);
    made.at("pictures").get_to(found.making.pictures);
    found.making.quality = made.value("quality", 0);
    for (const Json& file : made.at("files")) {
      found.files.push_back({file.at("role").get<std::string>(), file.at("path").get<std::string>(),
                             file.at("file").get<std::string>(),
                             file.at("sha256").get<std::string>()});
    }
    found.request.erase("made_with");
  } catch (const Json::exception& error) {
    fail(Cause::BadInput, what, ": not a recipe of affiche: ", error.what());
  }
  const Making& making = found.making;
  if (making.picture < 0 || making.picture >= making.pictures || making.threads < 1 ||
      making.threads > 1024 || making.quality < 0 || making.quality > 100) {
    fail(Cause::BadInput, what, ": \"made_with\": picture ", making.picture, " of ",
         making.pictures, " with ", making.threads, " threads, quality ", making.quality,
         ", cannot be");
  }
  return found;
}

PictureMetadata metadata_of(const Json& recipe) {
  const std::string json = dumped(recipe);
  const std::string text = to_text(parameters_of(recipe));
  const std::string software =
      concat("affiche ", recipe.at("made_with").at("affiche").get<std::string>());
  PictureMetadata metadata;
  metadata.png_text = {{"parameters", text}, {"affiche", json}};
  metadata.exif = exif_block(text, software);
  metadata.xmp = recipe_xmp(json, software);
  return metadata;
}

PictureOrigin read_origin(std::span<const std::uint8_t> bytes, const std::string& what) {
  PictureOrigin origin;
  const auto take_recipe = [&](const std::string& text) {
    Json json = parse_json(text, what + ": recipe");
    // Cards and older pictures carry the smaller recipe under the same name.
    if (json.is_object() && json.contains("made_with")) origin.recipe = std::move(json);
  };
  for (const PictureText& found : read_picture_text(bytes, what)) {
    if (found.keyword == "affiche") {
      take_recipe(found.text);
    } else if (found.keyword == "xmp") {
      if (const auto recipe = recipe_in_xmp(found.text)) take_recipe(*recipe);
    } else if (found.keyword == "parameters" || found.keyword == "UserComment") {
      origin.parameters = found.text;
    } else if (found.keyword == "prompt" && carries_json(found.text)) {
      origin.prompt = found.text;
    } else if (found.keyword == "workflow" && carries_json(found.text)) {
      origin.workflow = found.text;
    }
  }
  return origin;
}

}  // namespace affiche::recipes
