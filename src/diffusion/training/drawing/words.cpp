// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/drawing/words.h"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <functional>
#include <set>

#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/random.h"

namespace affiche::diffusion {
namespace {

template <typename Value>
struct Phrase {
  std::string_view words;
  Value value;
};

constexpr Phrase<Family> kFamilyWords[] = {
    {"gradient", Family::GradientMesh},
    {"gradients", Family::GradientMesh},
    {"mesh", Family::GradientMesh},
    {"waves", Family::SoftWaves},
    {"swells", Family::SoftWaves},
    {"dunes", Family::SoftWaves},
    {"bokeh", Family::BokehLights},
    {"paper", Family::PaperGrain},
    {"paper texture", Family::PaperGrain},
    {"halftone", Family::HalftoneDots},
    {"dots", Family::HalftoneDots},
    {"polygons", Family::LowPoly},
    {"facets", Family::LowPoly},
    {"triangles", Family::LowPoly},
    {"contours", Family::ContourLines},
    {"light leak", Family::LightLeaks},
    {"northern lights", Family::Aurora},
    {"ribbons", Family::FlowingRibbons},
    {"silk", Family::FlowingRibbons},
    {"satin", Family::FlowingRibbons},
    {"cut paper", Family::PaperLayers},
    {"layered paper", Family::PaperLayers},
    {"papercut", Family::PaperLayers},
    {"smoke", Family::DriftingSmoke},
    {"fog", Family::DriftingSmoke},
    {"mist", Family::DriftingSmoke},
    {"circles", Family::OverlappingCircles},
    {"discs", Family::OverlappingCircles},
    {"fabric", Family::WovenFabric},
    {"fabric grain", Family::WovenFabric},
    {"linen", Family::WovenFabric},
    {"cloth", Family::WovenFabric},
    {"weave", Family::WovenFabric},
    {"tartan", Family::WovenFabric},
    {"marble", Family::MarbleVeins},
    {"ink in water", Family::InkClouds},
    {"watercolour", Family::InkClouds},
    {"watercolor", Family::InkClouds},
    {"glass", Family::GlassRibbons},
    {"chrome", Family::ChromeRibbons},
    {"metal", Family::ChromeRibbons},
    {"isometric", Family::IsometricBlocks},
    {"blocks", Family::IsometricBlocks},
    {"cubes", Family::IsometricBlocks},
    {"topographic", Family::TopographicMap},
    {"terrain", Family::TopographicMap},
    {"relief", Family::TopographicMap},
    {"circuit", Family::CircuitTraces},
    {"circuit board", Family::CircuitTraces},
    {"grid", Family::FineGrid},
    {"blueprint", Family::FineGrid},
    {"bauhaus", Family::BauhausShapes},
    {"geometric", Family::BauhausShapes},
    {"geometric shapes", Family::BauhausShapes},
    {"vignette", Family::VignetteFrame},
    {"ornamental frame", Family::VignetteFrame},
};
constexpr Phrase<Mood> kMoodWords[] = {
    {"quiet", Mood::Calm},     {"gentle", Mood::Calm},  {"minimal", Mood::Calm},
    {"soft", Mood::Calm},      {"strong", Mood::Bold},  {"vivid", Mood::Bold},
    {"energetic", Mood::Bold}, {"light", Mood::Airy},   {"fresh", Mood::Airy},
    {"moody", Mood::Dramatic}, {"deep", Mood::Dramatic}};
constexpr Phrase<Light> kLightWords[] = {{"light from left", Light::Left},
                                         {"light from right", Light::Right},
                                         {"light from the top", Light::Above},
                                         {"light from top", Light::Above},
                                         {"light from the bottom", Light::Below},
                                         {"light from top left", Light::TopLeft},
                                         {"light from top right", Light::TopRight},
                                         {"glow in the middle", Light::Centre},
                                         {"central glow", Light::Centre}};
constexpr Phrase<Space> kSpaceWords[] = {{"empty left half", Space::EmptyLeft},
                                         {"empty right half", Space::EmptyRight},
                                         {"empty on the left", Space::EmptyLeft},
                                         {"empty on the right", Space::EmptyRight},
                                         {"empty top half", Space::EmptyTop},
                                         {"empty bottom half", Space::EmptyBottom},
                                         {"empty at the top", Space::EmptyTop},
                                         {"empty at the bottom", Space::EmptyBottom},
                                         {"empty middle", Space::EmptyCentre},
                                         {"dark middle", Space::DarkCentre},
                                         {"framed", Space::Frame}};
// Words that carry a sentence, or that every prompt for a background has.
constexpr std::string_view kSilent[] = {
    "a",    "an",      "and",      "as",      "at",      "background", "by",   "for",
    "from", "in",      "of",       "on",      "or",      "over",       "the",  "to",
    "with", "without", "abstract", "texture", "pattern", "no",         "text", "words"};

std::vector<std::string> words_of(std::string_view prompt) {
  std::vector<std::string> words;
  std::string word;
  const auto end = [&] {
    if (word == "center") word = "centre";
    if (word == "gray") word = "grey";
    if (!word.empty()) words.push_back(word);
    word.clear();
  };
  for (const char c : prompt) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '#') end();
    if (c == '#' || byte >= 128 || std::isalnum(byte) != 0)
      word += static_cast<char>(byte < 128 ? std::tolower(byte) : byte);
    else
      end();
  }
  end();
  return words;
}

std::optional<std::uint32_t> hex_colour(const std::string& word) {
  if (word.size() != 7 || word[0] != '#') return std::nullopt;
  std::uint32_t value = 0;
  for (const char c : word.substr(1)) {
    if (std::isxdigit(static_cast<unsigned char>(c)) == 0) return std::nullopt;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    value = value * 16 + static_cast<std::uint32_t>(digit);
  }
  return value;
}

// Where in a prompt a list of phrases is met best.
class Reader {
 public:
  explicit Reader(std::string_view prompt) : words_(words_of(prompt)) {}
  bool done() const { return at_ >= words_.size(); }
  const std::string& word() const { return words_[at_]; }
  void skip(std::size_t count) { at_ += count; }
  // How many words of the prompt the phrase covers from here; 0 when it does not.
  std::size_t covers(std::string_view phrase) const {
    const std::vector<std::string> wanted = words_of(phrase);
    if (wanted.empty() || at_ + wanted.size() > words_.size()) return 0;
    return std::equal(wanted.begin(), wanted.end(),
                      words_.begin() + static_cast<std::ptrdiff_t>(at_))
               ? wanted.size()
               : 0;
  }

 private:
  std::vector<std::string> words_;
  std::size_t at_ = 0;
};

struct Match {
  std::size_t words = 0;
  std::function<void(PromptWords&)> apply;
};

template <typename Apply>
void consider(const Reader& reader, std::string_view phrase, Match& best, Apply apply) {
  const std::size_t covered = reader.covers(phrase);
  if (covered > best.words) best = {covered, apply};
}

void add_colour(PromptWords& found, std::uint32_t colour) {
  if (std::find(found.colours.begin(), found.colours.end(), colour) == found.colours.end())
    found.colours.push_back(colour);
}

Match best_match(const Reader& reader) {
  Match best;
  const auto family = [&](std::string_view phrase, Family value) {
    consider(reader, phrase, best, [value](PromptWords& p) {
      if (!p.family) p.family = value;
    });
  };
  const auto light = [&](std::string_view phrase, Light value) {
    consider(reader, phrase, best, [value](PromptWords& p) { p.light = value; });
  };
  const auto mood = [&](std::string_view phrase, Mood value) {
    consider(reader, phrase, best, [value](PromptWords& p) { p.mood = value; });
  };
  const auto space = [&](std::string_view phrase, Space value) {
    consider(reader, phrase, best, [value](PromptWords& p) { p.space = value; });
  };
  // Names of captions first: of equally long phrases they count.
  for (std::size_t i = 0; i < family_names().size(); ++i)
    family(family_names()[i], static_cast<Family>(i));
  for (std::size_t i = 1; i < light_names().size(); ++i)
    light(light_names()[i], static_cast<Light>(i));
  for (std::size_t i = 1; i < mood_names().size(); ++i) mood(mood_names()[i], static_cast<Mood>(i));
  for (std::size_t i = 1; i < space_names().size(); ++i)
    space(space_names()[i], static_cast<Space>(i));
  for (const NamedColour& colour : palette())
    consider(reader, colour.name, best,
             [value = colour.rrggbb](PromptWords& p) { add_colour(p, value); });
  for (const auto& phrase : kFamilyWords) family(phrase.words, phrase.value);
  for (const auto& phrase : kLightWords) light(phrase.words, phrase.value);
  for (const auto& phrase : kMoodWords) mood(phrase.words, phrase.value);
  for (const auto& phrase : kSpaceWords) space(phrase.words, phrase.value);
  return best;
}

}  // namespace

PromptWords read_prompt(std::string_view prompt) {
  PromptWords found;
  Reader reader(prompt);
  std::set<std::string> unknown;
  while (!reader.done()) {
    const Match match = best_match(reader);
    if (match.words > 0) {
      match.apply(found);
      reader.skip(match.words);
      continue;
    }
    const std::string& word = reader.word();
    if (const auto colour = hex_colour(word)) {
      add_colour(found, *colour);
    } else if (std::find(std::begin(kSilent), std::end(kSilent), word) == std::end(kSilent) &&
               unknown.insert(word).second) {
      found.unknown.push_back(word);
    }
    reader.skip(1);
  }
  return found;
}

Drawing drawing_of(std::string_view prompt, std::uint64_t seed) {
  const PromptWords words = read_prompt(prompt);
  Drawing drawing;
  const Scene chance = random_scene(seed);
  drawing.scene = random_scene(seed, words.family.value_or(chance.family));
  drawing.scene.light = words.light;
  drawing.scene.mood = words.mood;
  drawing.scene.space = words.space;
  std::vector<std::uint32_t> colours = words.colours;
  if (colours.empty())
    for (const int index : drawing.scene.colours)
      colours.push_back(palette()[static_cast<std::size_t>(index)].rrggbb);
  drawing.scene.colour_count = static_cast<int>(std::min<std::size_t>(3, colours.size()));
  colours.resize(3, colours.back());
  std::copy_n(colours.begin(), 3, drawing.colours.begin());
  return drawing;
}

std::string caption(const Drawing& drawing) {
  const Scene& scene = drawing.scene;
  std::string text(family_names()[static_cast<std::size_t>(scene.family)]);
  for (int i = 0; i < scene.colour_count; ++i) {
    char name[16];
    std::snprintf(name, sizeof name, "#%06X",
                  unsigned{drawing.colours[static_cast<std::size_t>(i)] & 0xFFFFFF});
    text += (i > 0 && i + 1 == scene.colour_count ? " and " : ", ") + std::string(name);
  }
  for (const std::string_view words : {light_names()[static_cast<std::size_t>(scene.light)],
                                       mood_names()[static_cast<std::size_t>(scene.mood)],
                                       space_names()[static_cast<std::size_t>(scene.space)]})
    if (!words.empty()) text.append(", ").append(words);
  return text;
}

}  // namespace affiche::diffusion
