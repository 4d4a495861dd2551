// SPDX-License-Identifier: Apache-2.0
#include "service/drawn_background.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <vector>

#include "base/sha256.h"
#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/words.h"

namespace affiche::service {
namespace {

using diffusion::Family;

// Forms that words can stand on. The shipped model knows all but one of them.
constexpr std::array<Family, 10> kFamilies = {
    Family::GradientMesh,   Family::SoftWaves,  Family::FlowingRibbons, Family::PaperLayers,
    Family::Aurora,         Family::LightLeaks, Family::DriftingSmoke,  Family::GlassRibbons,
    Family::TopographicMap, Family::InkClouds};
// A brand's colour that is at most so far from a named one is meant by that name.
constexpr float kSameColour = 0.16F;
constexpr int kDrawnSide = 1200;   // pixels of the longer side: a card's
constexpr int kShippedSide = 336;  // what the shipped model was trained on
constexpr double kCardAspect = 1200.0 / 630.0;

// The same number for a brand and layer on every machine.
std::uint64_t choice(const cards::Brand& brand, const std::string& layer) {
  return std::stoull(sha256_hex(brand.name + "\n" + layer).substr(0, 15), nullptr, 16);
}

// Different for layers that happen to get the same family; the recipe alone decides the pixels.
std::int64_t seed_of(const cards::Brand& brand, const std::string& layer, std::int64_t variation) {
  const auto own = static_cast<std::int64_t>(choice(brand, layer) % 1'000'000'000);
  return brand.voice.seed % 1'000'000'000 + own + variation;
}

// What the brand's own prompt says of the layer, in words that drawings know.
diffusion::PromptWords words_of(const cards::Brand& brand, const std::string& layer) {
  const auto prompt = brand.voice.prompts.find(layer);
  return diffusion::read_prompt(prompt == brand.voice.prompts.end() ? "" : prompt->second);
}

// The family that the prompt names, else one that is always the same for brand and layer.
Family family_of(const cards::Brand& brand, const std::string& layer, bool shipped) {
  const auto known = [&](Family family) {
    return shipped ? std::ranges::find(diffusion::kShippedFamilies, family) !=
                         diffusion::kShippedFamilies.end()
                   : family != Family::DemoBrand;
  };
  const auto named = words_of(brand, layer).family;
  if (named && known(*named)) return *named;
  std::vector<Family> choices;
  std::ranges::copy_if(kFamilies, std::back_inserter(choices), known);
  return choices[choice(brand, layer) % choices.size()];
}

std::uint32_t rgb(const cards::Colour& colour) {
  return std::uint32_t{colour.red} << 16 | std::uint32_t{colour.green} << 8 |
         std::uint32_t{colour.blue};
}

float distance(std::uint32_t p, std::uint32_t q) {
  return affiche::distance(lab_of_srgb(p), lab_of_srgb(q));
}

float chroma(std::uint32_t colour) {
  return affiche::chroma(lab_of_srgb(colour));
}

// Another shade of a colour, towards the side with more room in lightness.
std::uint32_t shade_of(std::uint32_t colour, float amount) {
  Oklab lab = lab_of_srgb(colour);
  lab.lightness += lab.lightness > 0.6F ? -amount : amount;
  return srgb_of_lab(into_gamut(lab));
}

// Ground: the brand's "shade", on which its light text stands, else its darkest colour. Second and
// third: of the others that can be told from it those that the prompt names, then the most
// colourful ones; shades of the ground when there are none.
std::array<std::uint32_t, 3> colours_of(const cards::Brand& brand, const std::string& layer) {
  std::vector<std::uint32_t> all;
  for (const auto& [name, colour] : brand.colours) all.push_back(rgb(colour));
  if (all.empty()) all.push_back(0x25282D);
  const auto shade = brand.colours.find("shade");
  const std::uint32_t ground =
      shade != brand.colours.end()
          ? rgb(shade->second)
          : *std::min_element(all.begin(), all.end(), [](std::uint32_t p, std::uint32_t q) {
              return lab_of_srgb(p).lightness < lab_of_srgb(q).lightness;
            });
  std::erase_if(all, [&](std::uint32_t colour) { return distance(colour, ground) < 0.08F; });
  std::stable_sort(all.begin(), all.end(),
                   [](std::uint32_t p, std::uint32_t q) { return chroma(p) > chroma(q); });
  const auto wanted = words_of(brand, layer).colours;
  for (auto name = wanted.rbegin(); name != wanted.rend(); ++name) {
    const auto near = std::min_element(all.begin(), all.end(), [&](auto p, auto q) {
      return distance(p, *name) < distance(q, *name);
    });
    if (near != all.end() && distance(*near, *name) < kSameColour)
      std::rotate(all.begin(), near, near + 1);
  }
  std::array<std::uint32_t, 3> chosen = {ground, shade_of(ground, 0.16F), shade_of(ground, 0.08F)};
  if (!all.empty()) chosen[1] = all[0];
  for (const std::uint32_t colour : all) {
    if (distance(colour, chosen[1]) >= 0.08F) {
      chosen[2] = colour;
      break;
    }
  }
  return chosen;
}

std::string nearest_name(std::uint32_t colour) {
  const auto palette = diffusion::palette();
  return std::string(
      std::min_element(palette.begin(), palette.end(), [&](const auto& p, const auto& q) {
        return distance(p.rrggbb, colour) < distance(q.rrggbb, colour);
      })->name);
}

// "soft waves, A, B and C, calm": the captions that the shipped model was trained on.
std::string shipped_prompt(const cards::Brand& brand, const std::string& layer) {
  std::vector<std::string> names;
  for (const std::uint32_t colour : colours_of(brand, layer)) {
    const std::string name = nearest_name(colour);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  const Family family = family_of(brand, layer, true);
  std::string text(diffusion::family_names()[static_cast<std::size_t>(family)]);
  for (std::size_t i = 0; i < names.size(); ++i)
    text += (i > 0 && i + 1 == names.size() ? " and " : ", ") + names[i];
  return text + ", calm";
}

std::string drawn_prompt(const cards::Brand& brand, const std::string& layer) {
  const diffusion::PromptWords words = words_of(brand, layer);
  diffusion::Drawing drawing;
  drawing.scene.family = family_of(brand, layer, false);
  drawing.scene.colour_count = 3;
  drawing.scene.light = words.light;
  drawing.scene.mood = words.mood == diffusion::Mood::Plain ? diffusion::Mood::Calm : words.mood;
  drawing.scene.space = words.space;
  drawing.colours = colours_of(brand, layer);
  return caption(drawing);
}

// In the proportions of the voice, the longer side so many pixels, multiples of 16.
void set_size(Recipe& recipe, const cards::Voice& voice, int side) {
  const double aspect = voice.width > 0 && voice.height > 0
                            ? static_cast<double>(voice.width) / voice.height
                            : kCardAspect;
  const auto rounded = [&](double pixels) {
    return std::max(64, static_cast<int>(std::lround(pixels / 16)) * 16);
  };
  recipe.width = rounded(side * std::min(1.0, aspect));
  recipe.height = rounded(side * std::min(1.0, 1 / aspect));
}

}  // namespace

Recipe shipped_recipe(const cards::Brand& brand, const std::string& layer, std::int64_t variation) {
  Recipe recipe;
  recipe.prompt = shipped_prompt(brand, layer);
  recipe.seed = seed_of(brand, layer, variation);
  recipe.steps = 20;
  recipe.guidance_scale = 3;
  set_size(recipe, brand.voice, kShippedSide);
  recipe.build = AFFICHE_VERSION;
  return recipe;
}

Recipe drawn_recipe(const cards::Brand& brand, const std::string& layer, std::int64_t variation) {
  Recipe recipe;
  recipe.model = kDrawn;
  recipe.prompt = drawn_prompt(brand, layer);
  recipe.seed = seed_of(brand, layer, variation);
  set_size(recipe, brand.voice, kDrawnSide);
  recipe.build = AFFICHE_VERSION;
  return recipe;
}

Image draw_background(const Recipe& recipe) {
  return draw_words(recipe.prompt, recipe.seed, recipe.width, recipe.height);
}

Image draw_words(const std::string& words, std::int64_t seed, int width, int height) {
  return draw(diffusion::drawing_of(words, static_cast<std::uint64_t>(seed)), width, height);
}

}  // namespace affiche::service
