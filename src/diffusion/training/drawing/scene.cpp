// SPDX-License-Identifier: Apache-2.0
// Random scenes and their captions.
#include "diffusion/training/drawing/scene.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/random.h"

namespace affiche::diffusion {
namespace {

constexpr std::string_view kFamilies[] = {
    "gradient mesh",       "soft waves",    "bokeh lights",
    "paper grain",         "halftone dots", "low poly",
    "contour lines",       "light leaks",   "aurora",
    "flowing ribbons",     "paper layers",  "drifting smoke",
    "overlapping circles", "woven fabric",  "marble veins",
    "ink clouds",          "glass ribbons", "chrome ribbons",
    "isometric blocks",    "confetti",      "topographic map",
    "circuit traces",      "fine grid",     "bauhaus shapes",
    "vignette frame",      "demo brand",
};
constexpr std::string_view kLights[] = {"",
                                        "light from the left",
                                        "light from the right",
                                        "light from above",
                                        "light from below",
                                        "glow in the centre",
                                        "light from the top left",
                                        "light from the top right"};
constexpr std::string_view kMoods[] = {"", "calm", "bold", "airy", "dramatic"};
constexpr std::string_view kSpaces[] = {
    "",     "empty left", "empty right", "empty top", "empty bottom", "empty centre", "dark centre",
    "frame"};

Lab lab_of(int colour) {
  return lab_of_srgb(palette()[static_cast<std::size_t>(colour)].rrggbb);
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

// Grounds that publishers ask for most come more often than the others.
int random_ground(Random& random) {
  static constexpr std::string_view kFrequent[] = {"ink navy", "deep teal", "midnight blue",
                                                   "charcoal", "sand",      "white"};
  if (random.chance(0.3F)) return colour_index(kFrequent[random.below(6)]);
  return random.below(static_cast<int>(palette().size()));
}

// How ill two colours sit side by side: hues close together or opposite sit well, greys with all.
float discord(Lab p, Lab q) {
  const float weight = std::min(1.0F, chroma(p) * 9) * std::min(1.0F, chroma(q) * 9);
  float turn = std::fabs(std::atan2(p.b, p.a) - std::atan2(q.b, q.a));
  if (turn > std::numbers::pi_v<float>) turn = 2 * std::numbers::pi_v<float> - turn;
  const float between = std::sin(turn);  // 0 for the same and the opposite hue
  return weight * between * between;
}

// Second and third colours. Half of the scenes take the best of several tries, by eye's rules; the
// other half takes any, so that every pair of names is learned.
void choose_accents(Scene& scene, Random& random) {
  const int count = static_cast<int>(palette().size());
  const Lab ground = lab_of(scene.colours[0]);
  const int tries = random.chance(0.6F) ? 9 : 1;
  float best = -1e9F;
  for (int i = 0; i < tries; ++i) {
    int second = 0, third = 0;
    // Colours that cannot be told apart would teach that names mean nothing.
    do second = random.below(count);
    while (distance(lab_of(second), ground) < 0.13F);
    do third = random.below(count);
    while (distance(lab_of(third), ground) < 0.13F ||
           distance(lab_of(third), lab_of(second)) < 0.1F);
    const Lab p = lab_of(second), q = lab_of(third);
    const float score = std::min(0.3F, std::fabs(p.lightness - ground.lightness)) +
                        1.2F * std::min(0.16F, std::max(chroma(p), chroma(q))) -
                        0.35F * (discord(ground, p) + discord(ground, q) + discord(p, q));
    if (score > best) {
      best = score;
      scene.colours[1] = second;
      scene.colours[2] = third;
    }
  }
}

// Light glows on a dark ground; most scenes of light get the darkest of their colours as ground.
void darken_ground(Scene& scene, Random& random) {
  const bool glows = scene.family == Family::Aurora || scene.family == Family::LightLeaks ||
                     scene.family == Family::BokehLights || scene.family == Family::ChromeRibbons;
  if (!random.chance(0.7F) || !glows) return;
  for (std::size_t i = 1; i < 3; ++i)
    if (lab_of(scene.colours[i]).lightness < lab_of(scene.colours[0]).lightness)
      std::swap(scene.colours[i], scene.colours[0]);
}

// The brand's look has its own colours and light.
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
std::span<const std::string_view> light_names() {
  return kLights;
}
std::span<const std::string_view> mood_names() {
  return kMoods;
}
std::span<const std::string_view> space_names() {
  return kSpaces;
}

Scene random_scene(std::uint64_t seed) {
  Random random(seed ^ 0x66616d696c79ULL);
  return random_scene(seed, static_cast<Family>(random.below(static_cast<int>(kRandomFamilies))));
}

Scene random_scene(std::uint64_t seed, Family family) {
  if (family == Family::DemoBrand) return demo_brand_scene(seed);
  Random random(seed);
  Scene scene;
  scene.family = family;
  scene.seed = seed;
  scene.colours[0] = random_ground(random);
  choose_accents(scene, random);
  darken_ground(scene, random);
  const float named = random.unit();
  scene.colour_count = named < 0.12F ? 1 : (named < 0.6F ? 2 : 3);
  const auto one_of = [&](std::span<const std::string_view> names) {
    return 1 + random.below(static_cast<int>(names.size()) - 1);
  };
  scene.light = random.chance(0.5F) ? Light::None : static_cast<Light>(one_of(kLights));
  scene.mood = random.chance(0.5F) ? Mood::Plain : static_cast<Mood>(one_of(kMoods));
  scene.space = random.chance(0.6F) ? Space::Full : static_cast<Space>(one_of(kSpaces));
  if (family == Family::VignetteFrame && scene.space != Space::DarkCentre)
    scene.space = Space::Full;  // it is a layout already
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

Told told_of(const Scene& scene, std::uint64_t seed) {
  Random random(seed ^ 0x63617074696f6eULL);
  Told told{scene, true, true};
  told.family = !random.chance(0.06F);
  told.colours = !random.chance(0.04F);
  if (random.chance(0.1F)) told.scene.light = Light::None;
  if (random.chance(0.1F)) told.scene.mood = Mood::Plain;
  if (scene.colour_count == 3 && random.chance(0.1F)) told.scene.colour_count = 2;
  if (!told.family) told.colours = true;
  return told;
}

std::string caption(const Told& told) {
  const std::string whole = caption(told.scene);
  if (told.family && told.colours) return whole;
  const std::string colours = colour_words(told.scene);
  const std::string_view family = kFamilies[static_cast<std::size_t>(told.scene.family)];
  if (!told.family) return whole.substr(family.size() + 2);
  return std::string(family) + whole.substr(family.size() + 2 + colours.size());
}

std::string caption(const Scene& scene, std::uint64_t seed) {
  return caption(told_of(scene, seed));
}

}  // namespace affiche::diffusion
