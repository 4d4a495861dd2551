// SPDX-License-Identifier: Apache-2.0
// Random scenes and their captions.
#include "diffusion/training/drawing/scene.h"

#include <cmath>

#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/random.h"

namespace affiche::diffusion {
namespace {

constexpr std::string_view kFamilies[] = {
    "gradient mesh", "soft waves",     "bokeh lights",        "paper grain", "halftone dots",
    "low poly",      "contour lines",  "light leaks",         "aurora",      "flowing ribbons",
    "paper layers",  "drifting smoke", "overlapping circles", "demo brand",
};
constexpr int kRandomFamilies = static_cast<int>(Family::DemoBrand);

constexpr std::string_view kLights[] = {"",
                                        "light from the left",
                                        "light from the right",
                                        "light from above",
                                        "light from below",
                                        "glow in the centre"};
constexpr std::string_view kMoods[] = {"", "calm", "bold"};
constexpr std::string_view kSpaces[] = {"", "empty left half", "empty right half"};

float distance(int p, int q) {
  const Lab d = lab_of_srgb(palette()[static_cast<std::size_t>(p)].rrggbb) +
                lab_of_srgb(palette()[static_cast<std::size_t>(q)].rrggbb) * -1;
  return std::sqrt(d.lightness * d.lightness + d.a * d.a + d.b * d.b);
}

std::string_view colour_name(const Scene& scene, int i) {
  return palette()[static_cast<std::size_t>(scene.colours[static_cast<std::size_t>(i)])].name;
}

std::string colour_words(const Scene& scene) {
  std::string words(colour_name(scene, 0));
  if (scene.colour_count == 3) words.append(", ").append(colour_name(scene, 1));
  if (scene.colour_count > 1)
    words.append(" and ").append(colour_name(scene, scene.colour_count - 1));
  return words;
}

void append(std::string& text, std::string_view words) {
  if (words.empty()) return;
  if (!text.empty()) text += ", ";
  text += words;
}

int colour_index(std::string_view name) {
  int i = 0;
  while (palette()[static_cast<std::size_t>(i)].name != name) ++i;
  return i;
}

// Grounds that publishers ask for most come three times as often as the others.
int random_ground(Random& random) {
  static constexpr std::string_view kFrequent[] = {"ink navy", "deep teal", "teal",
                                                   "coral",    "sand",      "white"};
  if (random.chance(0.4F)) return colour_index(kFrequent[random.below(6)]);
  return random.below(static_cast<int>(palette().size()));
}

// The brand's look has its own colours and light; only the empty half differs between pictures.
Scene demo_brand_scene(std::uint64_t seed) {
  Scene scene;
  scene.family = Family::DemoBrand;
  scene.colours = {colour_index("ink navy"), colour_index("teal"), colour_index("coral")};
  scene.colour_count = 3;
  scene.seed = seed;
  return scene;
}

}  // namespace

std::span<const std::string_view> family_names() {
  return kFamilies;
}

Scene random_scene(std::uint64_t seed) {
  Random random(seed ^ 0x66616d696c79ULL);
  return random_scene(seed, static_cast<Family>(random.below(kRandomFamilies)));
}

Scene random_scene(std::uint64_t seed, Family family) {
  if (family == Family::DemoBrand) return demo_brand_scene(seed);
  Random random(seed);
  const int count = static_cast<int>(palette().size());
  Scene scene;
  scene.family = family;
  scene.seed = seed;
  scene.colours[0] = random_ground(random);
  // Colours that cannot be told apart would teach that names mean nothing.
  do scene.colours[1] = random.below(count);
  while (distance(scene.colours[1], scene.colours[0]) < 0.12F);
  do scene.colours[2] = random.below(count);
  while (distance(scene.colours[2], scene.colours[0]) < 0.12F ||
         distance(scene.colours[2], scene.colours[1]) < 0.08F);
  const float named = random.unit();
  scene.colour_count = named < 0.12F ? 1 : (named < 0.6F ? 2 : 3);
  scene.light = random.chance(0.45F) ? Light::None : static_cast<Light>(1 + random.below(5));
  scene.mood = random.chance(0.5F) ? Mood::Plain : static_cast<Mood>(1 + random.below(2));
  scene.space = random.chance(0.75F) ? Space::Full : static_cast<Space>(1 + random.below(2));
  return scene;
}

std::string caption(const Scene& scene) {
  std::string text(kFamilies[static_cast<std::size_t>(scene.family)]);
  append(text, colour_words(scene));
  append(text, kLights[static_cast<std::size_t>(scene.light)]);
  append(text, kMoods[static_cast<std::size_t>(scene.mood)]);
  append(text, kSpaces[static_cast<std::size_t>(scene.space)]);
  return text;
}

std::string caption(const Scene& scene, std::uint64_t seed) {
  Random random(seed ^ 0x63617074696f6eULL);
  Scene told = scene;
  const bool family_told = !random.chance(0.06F), colours_told = !random.chance(0.04F);
  if (random.chance(0.1F)) told.light = Light::None;
  if (random.chance(0.1F)) told.mood = Mood::Plain;
  if (told.colour_count == 3 && random.chance(0.1F)) told.colour_count = 2;
  if (family_told && colours_told) return caption(told);
  const std::string whole = caption(told);
  const std::string colours = colour_words(told);
  const std::string_view family = kFamilies[static_cast<std::size_t>(told.family)];
  if (!family_told) return whole.substr(family.size() + 2);
  return std::string(family) + whole.substr(family.size() + 2 + colours.size());
}

}  // namespace affiche::diffusion
