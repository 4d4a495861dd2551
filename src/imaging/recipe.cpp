// SPDX-License-Identifier: Apache-2.0
#include "imaging/recipe.h"

#include "base/error.h"
#include "base/json.h"

namespace affiche {

std::string to_json(const Recipe& recipe) {
  Json loras = Json::array();
  for (const RecipeLora& lora : recipe.loras) {
    loras.push_back({{"name", lora.name}, {"sha256", lora.sha256}, {"weight", lora.weight}});
  }
  const Json json = {{"model", recipe.model},
                     {"model_sha256", recipe.model_sha256},
                     {"loras", loras},
                     {"prompt", recipe.prompt},
                     {"negative_prompt", recipe.negative_prompt},
                     {"seed", recipe.seed},
                     {"scheduler", recipe.scheduler},
                     {"steps", recipe.steps},
                     {"guidance_scale", recipe.guidance_scale},
                     {"width", recipe.width},
                     {"height", recipe.height},
                     {"dtype", recipe.dtype},
                     {"palette", recipe.palette},
                     {"build", recipe.build}};
  return json.dump();
}

Recipe recipe_from_json(const std::string& text, const std::string& what) {
  const Json json = parse_json(text, what);
  try {
    Recipe recipe;
    for (const Json& lora : json.at("loras")) {
      recipe.loras.push_back({lora.at("name").get<std::string>(),
                              lora.at("sha256").get<std::string>(),
                              lora.at("weight").get<double>()});
    }
    json.at("model").get_to(recipe.model);
    json.at("model_sha256").get_to(recipe.model_sha256);
    json.at("prompt").get_to(recipe.prompt);
    json.at("negative_prompt").get_to(recipe.negative_prompt);
    json.at("seed").get_to(recipe.seed);
    json.at("scheduler").get_to(recipe.scheduler);
    json.at("steps").get_to(recipe.steps);
    json.at("guidance_scale").get_to(recipe.guidance_scale);
    json.at("width").get_to(recipe.width);
    json.at("height").get_to(recipe.height);
    json.at("dtype").get_to(recipe.dtype);
    if (json.contains("palette")) json.at("palette").get_to(recipe.palette);  // older ones lack it
    json.at("build").get_to(recipe.build);
    return recipe;
  } catch (const Json::exception& error) {
    fail(Cause::BadInput, what, ": not a recipe: ", error.what());
  }
}

}  // namespace affiche
