// SPDX-License-Identifier: Apache-2.0
#include "service/drawn_background.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "base/sha256.h"
#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/scene.h"

namespace affiche::service {
namespace {

using diffusion::Family;
using diffusion::Lab;

// Forms that words can stand on.
constexpr std::array<Family, 6> kFamilies = {Family::GradientMesh,   Family::SoftWaves,
                                             Family::FlowingRibbons, Family::PaperLayers,
                                             Family::Aurora,         Family::LightLeaks};
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

Family family_of(const cards::Brand& brand, const std::string& layer) {
  return kFamilies[choice(brand, layer) % kFamilies.size()];
}

std::uint32_t rgb(const cards::Colour& colour) {
  return std::uint32_t{colour.red} << 16 | std::uint32_t{colour.green} << 8 |
         std::uint32_t{colour.blue};
}

float distance(std::uint32_t p, std::uint32_t q) {
  const Lab d = diffusion::lab_of_srgb(p) + diffusion::lab_of_srgb(q) * -1;
  return std::sqrt(d.lightness * d.lightness + d.a * d.a + d.b * d.b);
}

float chroma(std::uint32_t colour) {
  const Lab lab = diffusion::lab_of_srgb(colour);
  return std::hypot(lab.a, lab.b);
}

// Another shade of a colour, towards the side with more room in lightness.
std::uint32_t shade_of(std::uint32_t colour, float amount) {
  Lab lab = diffusion::lab_of_srgb(colour);
  lab.lightness += lab.lightness > 0.6F ? -amount : amount;
  std::array<std::uint8_t, 3> bytes{};
  diffusion::put_srgb(lab, bytes.data());
  return std::uint32_t{bytes[0]} << 16 | std::uint32_t{bytes[1]} << 8 | bytes[2];
}

// Ground: the brand's "shade", on which its light text stands, else its darkest colour. Second and
// third: the most colourful of the others that can be told from it; shades of it when there are
// none.
std::array<std::uint32_t, 3> colours_of(const cards::Brand& brand) {
  std::vector<std::uint32_t> all;
  for (const auto& [name, colour] : brand.colours) all.push_back(rgb(colour));
  if (all.empty()) all.push_back(0x25282D);
  const auto shade = brand.colours.find("shade");
  const std::uint32_t ground =
      shade != brand.colours.end()
          ? rgb(shade->second)
          : *std::min_element(all.begin(), all.end(), [](std::uint32_t p, std::uint32_t q) {
              return diffusion::lab_of_srgb(p).lightness < diffusion::lab_of_srgb(q).lightness;
            });
  std::erase_if(all, [&](std::uint32_t colour) { return distance(colour, ground) < 0.08F; });
  std::stable_sort(all.begin(), all.end(),
                   [](std::uint32_t p, std::uint32_t q) { return chroma(p) > chroma(q); });
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

std::string hex_name(std::uint32_t colour) {
  char text[16];
  std::snprintf(text, sizeof text, "#%06X", colour);
  return text;
}

// "soft waves, A, B and C, calm": the captions that the shipped model was trained on.
template <typename Name>
std::string prompt_of(const cards::Brand& brand, const std::string& layer, Name name_of) {
  std::vector<std::string> names;
  for (const std::uint32_t colour : colours_of(brand)) {
    const std::string name = name_of(colour);
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  std::string text(diffusion::family_names()[static_cast<std::size_t>(family_of(brand, layer))]);
  for (std::size_t i = 0; i < names.size(); ++i) {
    text += (i > 0 && i + 1 == names.size() ? " and " : ", ") + names[i];
  }
  return text + ", calm";
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
  recipe.prompt = prompt_of(brand, layer, nearest_name);
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
  recipe.prompt = prompt_of(brand, layer, hex_name);
  recipe.seed = seed_of(brand, layer, variation);
  set_size(recipe, brand.voice, kDrawnSide);
  recipe.build = AFFICHE_VERSION;
  return recipe;
}

Image draw_background(const cards::Brand& brand, const std::string& layer, const Recipe& recipe) {
  diffusion::Scene scene;
  scene.family = family_of(brand, layer);
  scene.colour_count = 3;
  scene.mood = diffusion::Mood::Calm;
  scene.seed = static_cast<std::uint64_t>(recipe.seed);
  return draw(scene, colours_of(brand), recipe.width, recipe.height);
}

}  // namespace affiche::service
