// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect_picture.h"

#include <cstdio>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/toml_json.h"
#include "cli/border.h"
#include "cli/generate_options.h"
#include "recipes/picture_recipe.h"

namespace affiche::cli {
namespace {

std::string dumped(const Json& json) {
  return json.dump(2, ' ', false, Json::error_handler_t::replace);
}

// Workflows that another program wrote; kept as text when they are not valid JSON.
Json parsed(const std::string& text) {
  Json json = Json::parse(text, nullptr, false);
  return json.is_discarded() ? Json(text) : json;
}

Json as_json(const recipes::PictureOrigin& origin, const std::string& file) {
  Json answer = {{"file", file}};
  if (origin.recipe) answer["recipe"] = *origin.recipe;
  if (!origin.parameters.empty()) answer["parameters"] = origin.parameters;
  if (!origin.prompt.empty()) answer["prompt"] = parsed(origin.prompt);
  if (!origin.workflow.empty()) answer["workflow"] = parsed(origin.workflow);
  return answer;
}

void print_own(const Json& json, const std::string& file) {
  const recipes::PictureRecipe recipe = recipes::read_picture_recipe(json, file);
  const recipes::Making& making = recipe.making;
  std::printf("%s", printable(json_to_toml(recipe.request)).c_str());
  std::printf("\nmade by affiche %s, libtorch %s, torch's CPU generator, %s on %s, %d threads\n",
              printable(making.build).c_str(), printable(making.libtorch).c_str(),
              printable(making.dtype).c_str(), printable(making.device).c_str(), making.threads);
  std::printf("picture %lld of %lld\n", static_cast<long long>(making.picture + 1),
              static_cast<long long>(making.pictures));
  for (const recipes::HashedFile& part : recipe.files) {
    std::printf("%-10s %s  %s%s%s\n", printable(part.role).c_str(), printable(part.sha256).c_str(),
                printable(part.path).c_str(), part.file.empty() ? "" : "/",
                printable(part.file).c_str());
  }
}

}  // namespace

int inspect_picture(const InspectPicture& what, const Shared& shared) {
  if (what.rerun) {
    GenerateOptions options;
    options.recipe = what.file.string();
    options.models = what.models;
    options.out = what.out;
    return run_generate(options, shared);
  }
  const std::string file = what.file.string();
  const recipes::PictureOrigin origin = recipes::read_origin(read_bytes(what.file), file);
  if (!origin.known()) {
    fail(Cause::BadInput, file,
         ": expected a picture that says how it was made, found no recipe, A1111 parameters or "
         "ComfyUI workflow in it");
  }
  if (shared.json) {
    std::puts(dumped(as_json(origin, file)).c_str());
  } else if (origin.recipe) {
    print_own(*origin.recipe, file);
  } else if (!origin.parameters.empty()) {
    std::printf("%s\n", printable(origin.parameters).c_str());
  } else {
    std::printf("%s\n", printable(origin.prompt.empty() ? origin.workflow : origin.prompt).c_str());
  }
  return 0;
}

}  // namespace affiche::cli
