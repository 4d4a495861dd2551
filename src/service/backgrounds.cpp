// SPDX-License-Identifier: Apache-2.0
#include "service/backgrounds.h"

#include <algorithm>

#include "base/error.h"
#include "base/sha256.h"
#include "base/suggest.h"
#include "imaging/raw.h"
#include "service/loaded_model.h"

namespace affiche::service {
namespace {

// What decides a model's pictures: the configurations and weights of its components. A folder's
// hash is over the sorted relative names and the hashes of its files.
std::vector<std::filesystem::path> component_files(const std::filesystem::path& model) {
  std::vector<std::filesystem::path> files;
  if (!std::filesystem::is_directory(model)) return {model};
  for (const auto& entry : std::filesystem::recursive_directory_iterator(model)) {
    const std::string extension = entry.path().extension().string();
    if (entry.is_regular_file() &&
        (extension == ".json" || extension == ".safetensors" || extension == ".txt")) {
      files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

void require_file(const std::filesystem::path& path, const std::string& brand,
                  const std::string& kind) {
  if (!std::filesystem::exists(path)) {
    fail(Cause::NotFound, "brand \"", brand, "\": ", kind, " ", path.string(), ": expected a ",
         kind, ", found nothing; correct the path in the brand's [voice]");
  }
}

}  // namespace

Backgrounds::Backgrounds(store::Store& store, const store::Artifacts& artifacts, int threads)
    : store_(store), artifacts_(artifacts), threads_(threads) {}

Backgrounds::~Backgrounds() = default;

std::string Backgrounds::hash_of(const std::filesystem::path& file) {
  const std::string key = concat(file.string(), '\n', std::filesystem::file_size(file), '\n',
                                 std::filesystem::last_write_time(file).time_since_epoch().count());
  const std::lock_guard lock(hashes_mutex_);
  const auto found = hashes_.find(key);
  if (found != hashes_.end()) return found->second;
  return hashes_[key] = sha256_file(file);
}

Recipe Backgrounds::recipe_for(const cards::Brand& brand, const std::string& layer,
                               std::int64_t variation) {
  const cards::Voice& voice = brand.voice;
  const auto prompt = voice.prompts.find(layer);
  if (prompt == voice.prompts.end()) {
    std::vector<std::string> known;
    for (const auto& [name, text] : voice.prompts) known.push_back(name);
    fail(Cause::BadInput, "brand \"", brand.name, "\": no prompt for the generated layer \"", layer,
         "\"", suggestion(layer, known), "; add it to [voice.prompts]");
  }
  require_file(voice.model, brand.name, "model");
  Recipe recipe;
  recipe.model = voice.model.filename().string();
  std::string listing;
  for (const std::filesystem::path& file : component_files(voice.model)) {
    listing += std::filesystem::relative(file, voice.model).string() + ' ' + hash_of(file) + '\n';
  }
  recipe.model_sha256 = sha256_hex(listing);
  for (const cards::VoiceLora& lora : voice.loras) {
    require_file(lora.file, brand.name, "LoRA file");
    recipe.loras.push_back({lora.file.filename().string(), hash_of(lora.file), lora.weight});
  }
  recipe.prompt = prompt->second;
  recipe.negative_prompt = voice.negative_prompt;
  recipe.seed = voice.seed + variation;
  recipe.scheduler = voice.scheduler;
  recipe.steps = voice.steps;
  recipe.guidance_scale = voice.guidance;
  recipe.width = voice.width;
  recipe.height = voice.height;
  recipe.dtype = "fp32";
  recipe.build = AFFICHE_VERSION;
  return recipe;
}

Backgrounds::Made Backgrounds::make(const cards::Brand& brand, const std::string& layer,
                                    std::int64_t variation, std::stop_token stop) {
  const Recipe recipe = recipe_for(brand, layer, variation);
  Made made;
  made.recipe = to_json(recipe);
  made.recipe_sha256 = sha256_hex(made.recipe);
  const auto known = [&] {
    const auto artifact = store_.generated(made.recipe_sha256);
    if (!artifact || !artifacts_.has(*artifact)) return false;
    made.artifact = *artifact;
    return made.cached = true;
  };
  if (known()) return made;
  const std::lock_guard lock(mutex_);
  if (known()) return made;  // another thread made it while this one waited
  const Bytes pixels = to_raw(generate(brand, recipe, stop));
  made.artifact = artifacts_.put(pixels);
  store_.add_artifact(made.artifact, pixels.size(), kRawMediaType);
  store_.put_generated(made.recipe_sha256, made.recipe, made.artifact);
  return made;
}

Generated Backgrounds::load(const Made& made) {
  Bytes pixels;
  try {
    pixels = artifacts_.get(made.artifact);
  } catch (const Error& error) {
    store_.remove_generated(made.recipe_sha256);
    fail(Cause::Unavailable, "generated picture ", made.artifact, ": ", error.what(),
         "; it will be made again");
  }
  return {from_raw(pixels, "artifact " + made.artifact),
          recipe_from_json(made.recipe, "recipe " + made.recipe_sha256)};
}

Image Backgrounds::generate(const cards::Brand& brand, const Recipe& recipe, std::stop_token stop) {
  if (!model_ || !model_->is(recipe.model_sha256)) {
    model_.reset();  // before the next one is loaded: two may not fit
    model_ = std::make_unique<LoadedModel>(brand.voice.model, recipe.model_sha256, threads_);
  }
  model_->wear(brand.voice.loras, recipe.loras);
  return model_->generate(recipe, stop);
}

std::int64_t variation_of(const std::string& text, const cards::Brand& brand) {
  // The first 52 bits of the hash: an even spread, and the same on every machine.
  const std::int64_t number = std::stoll(sha256_hex(text).substr(0, 13), nullptr, 16);
  return number % brand.voice.variations;
}

}  // namespace affiche::service
