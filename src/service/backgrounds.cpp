// SPDX-License-Identifier: Apache-2.0
#include "service/backgrounds.h"

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "base/sha256.h"
#include "base/suggest.h"
#include "hub/cache.h"
#include "imaging/brand_colours.h"
#include "imaging/raw.h"
#include "service/drawn_background.h"
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

void require_lora(const std::filesystem::path& path, const std::string& brand) {
  if (!std::filesystem::exists(path)) {
    fail(Cause::NotFound, "brand \"", brand, "\": LoRA file ", path.string(),
         ": expected a LoRA file, found nothing; correct the path in the brand's [voice]");
  }
}

// Metadata tell drawn pictures by this name, so no model may have it.
std::string model_name(const std::filesystem::path& model) {
  const std::string name = model.filename().string();
  return name == kDrawn ? "model " + name : name;
}

const std::string& prompt_of(const cards::Brand& brand, const std::string& layer) {
  const auto& prompts = brand.voice.prompts;
  const auto prompt = prompts.find(layer);
  if (prompt != prompts.end()) return prompt->second;
  std::vector<std::string> known;
  for (const auto& [name, text] : prompts) known.push_back(name);
  fail(Cause::BadInput, "brand \"", brand.name, "\": no prompt for the generated layer \"", layer,
       "\"", suggestion(layer, known), "; add it to [voice.prompts]");
}

// The brand's colours that pictures are brought to, as recipes have them; each once.
std::vector<std::string> palette_of(const cards::Brand& brand) {
  std::vector<std::string> palette;
  for (const std::string& name : brand.voice.palette) {
    const std::string hex = cards::to_hex(brand.colour(name));
    if (std::find(palette.begin(), palette.end(), hex) == palette.end()) palette.push_back(hex);
  }
  return palette;
}

Image in_palette(const Image& image, const std::vector<std::string>& palette) {
  std::vector<Oklab> colours;
  for (const std::string& hex : palette)
    colours.push_back(
        lab_of_srgb(static_cast<std::uint32_t>(std::stoul(hex.substr(1), nullptr, 16))));
  return to_brand_colours(image, colours);
}

}  // namespace

// How a picture will be made, and by what.
struct Backgrounds::Plan {
  Recipe recipe;
  ModelPlace place;  // of the model; none for a drawing
  std::vector<cards::VoiceLora> loras;
  std::function<Image()> draw;  // in place of a model
  std::string note;
};

Backgrounds::Backgrounds(store::Store& store, const store::Artifacts& artifacts,
                         const Config& config)
    : store_(store), artifacts_(artifacts), config_(config) {}

Backgrounds::~Backgrounds() = default;

std::string Backgrounds::hash_of(const std::filesystem::path& file) {
  const std::string key = concat(file.string(), '\n', std::filesystem::file_size(file), '\n',
                                 std::filesystem::last_write_time(file).time_since_epoch().count());
  const std::lock_guard lock(hashes_mutex_);
  const auto found = hashes_.find(key);
  if (found != hashes_.end()) return found->second;
  return hashes_[key] = sha256_file(file);
}

std::string Backgrounds::model_hash(const std::filesystem::path& model) {
  std::string listing;
  for (const std::filesystem::path& file : component_files(model)) {
    // By the names as they stand: the files of a fetched model may be links.
    listing += file.lexically_relative(model).string() + ' ' + hash_of(file) + '\n';
  }
  return sha256_hex(listing);
}

Backgrounds::Plan Backgrounds::own_plan(const cards::Brand& brand, const std::string& layer,
                                        std::int64_t variation, ModelPlace place) {
  const cards::Voice& voice = brand.voice;
  Plan plan;
  plan.loras = voice.loras_of(layer);
  Recipe& recipe = plan.recipe;
  recipe.model = model_name(voice.model);
  recipe.model_sha256 = model_hash(place.path);
  for (const cards::VoiceLora& lora : plan.loras) {
    require_lora(lora.file, brand.name);
    recipe.loras.push_back({lora.file.filename().string(), hash_of(lora.file), lora.weight});
  }
  recipe.prompt = prompt_of(brand, layer);
  recipe.negative_prompt = voice.negative_prompt;
  recipe.seed = voice.seed + variation;
  recipe.scheduler = voice.scheduler;
  recipe.steps = voice.steps;
  recipe.guidance_scale = voice.guidance;
  recipe.width = voice.width;
  recipe.height = voice.height;
  recipe.dtype = "fp32";
  recipe.palette = palette_of(brand);
  recipe.build = AFFICHE_VERSION;
  plan.place = std::move(place);
  return plan;
}

Backgrounds::Plan Backgrounds::drawn_plan(const cards::Brand& brand, const std::string& layer,
                                          std::int64_t variation) {
  Plan plan;
  plan.recipe = drawn_recipe(brand, layer, variation);
  plan.draw = [recipe = plan.recipe] { return draw_background(recipe); };
  return plan;
}

// The shipped model, else a drawing.
Backgrounds::Plan Backgrounds::substitute(const cards::Brand& brand, const std::string& layer,
                                          std::int64_t variation, const std::string& reason) {
  Plan plan;
  const std::filesystem::path shipped = shipped_model(config_);
  if (std::filesystem::exists(shipped / "model_index.json")) {
    plan.recipe = shipped_recipe(brand, layer, variation);
    plan.recipe.model = model_name(shipped);
    plan.recipe.model_sha256 = model_hash(shipped);
    plan.recipe.palette = palette_of(brand);
    plan.place.path = shipped;
    plan.note = concat(layer, ": made by the shipped model ", plan.recipe.model, ", as ", reason);
  } else {
    plan = drawn_plan(brand, layer, variation);
    plan.note = concat(layer, ": drawn without a model, as ", reason, "; and the shipped model ",
                       shipped.string(), ": found nothing, see paths.models");
  }
  return plan;
}

Backgrounds::Plan Backgrounds::plan_for(const cards::Brand& brand, const std::string& layer,
                                        std::int64_t variation,
                                        cards::Template::ModelMissing missing) {
  prompt_of(brand, layer);  // whatever makes the picture, a brand without a prompt is wrong
  if (brand.voice.model == kDrawn) return drawn_plan(brand, layer, variation);
  std::string reason;
  try {
    ModelPlace place = find_model(brand.voice.model.string(), config_);
    if (std::filesystem::exists(place.path)) {
      return own_plan(brand, layer, variation, std::move(place));
    }
    reason = concat(place.path.string(),
                    ": expected a model, found nothing; correct the path in the brand's [voice]");
  } catch (const hub::NotCached& error) {
    reason = error.what();
  }
  reason = concat("brand \"", brand.name, "\": model ", reason);
  if (missing == cards::Template::ModelMissing::Fail) {
    fail(Cause::NotFound, reason, " (the template says model_missing = \"fail\")");
  }
  return substitute(brand, layer, variation, reason);
}

Backgrounds::Made Backgrounds::make(const cards::Brand& brand, const std::string& layer,
                                    std::int64_t variation, std::stop_token stop,
                                    cards::Template::ModelMissing missing) {
  const Plan plan = plan_for(brand, layer, variation, missing);
  Made made;
  made.recipe = to_json(plan.recipe);
  made.recipe_sha256 = sha256_hex(made.recipe);
  made.note = plan.note;
  const auto known = [&] {
    const auto artifact = store_.generated(made.recipe_sha256);
    if (!artifact || !artifacts_.has(*artifact)) return false;
    made.artifact = *artifact;
    return made.cached = true;
  };
  if (known()) return made;
  const std::lock_guard lock(mutex_);
  if (known()) return made;  // another thread made it while this one waited
  const Bytes pixels =
      to_raw(plan.draw ? plan.draw() : in_palette(generate(plan, stop), plan.recipe.palette));
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

Image Backgrounds::generate(const Plan& plan, std::stop_token stop) {
  const Recipe& recipe = plan.recipe;
  if (!model_ || !model_->is(recipe.model_sha256)) {
    model_.reset();  // before the next one is loaded: two may not fit
    model_ =
        std::make_unique<LoadedModel>(plan.place.path, recipe.model_sha256, config_.work.threads);
    model_place_ = plan.place;
  }
  model_->wear(plan.loras, recipe.loras);
  return model_->generate(recipe, stop);
}

std::int64_t variation_of(const std::string& text, const cards::Brand& brand) {
  // The first 52 bits of the hash: an even spread, and the same on every machine.
  const std::int64_t number = std::stoll(sha256_hex(text).substr(0, 13), nullptr, 16);
  return number % brand.voice.variations;
}

}  // namespace affiche::service
