// SPDX-License-Identifier: Apache-2.0
// From words to a drawing: finds in any prompt what the drawings know, whatever its grammar.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diffusion/training/drawing/scene.h"

namespace affiche::diffusion {

struct PromptWords {
  std::optional<Family> family;
  std::vector<std::uint32_t> colours;  // sRGB, in the order of the prompt, each once
  Light light = Light::None;
  Mood mood = Mood::Plain;
  Space space = Space::Full;
  std::vector<std::string> unknown;  // words that say nothing here, each once, in lower case
};

// Names of captions, common words for them ("waves", "cut paper", "fog", "light from top left"),
// named colours and #RRGGBB. The longest match counts; of two families the first. Thread-safe.
PromptWords read_prompt(std::string_view prompt);

struct Drawing {
  Scene scene;
  std::array<std::uint32_t, 3> colours{};  // ground, second, third
};
// What to draw for a prompt: what it leaves open follows from `seed`. Thread-safe.
Drawing drawing_of(std::string_view prompt, std::uint64_t seed);
inline Image draw(const Drawing& drawing, int width, int height) {
  return draw(drawing.scene, drawing.colours, width, height);
}

// The caption of a scene in colours of one's own, as #RRGGBB; read_prompt() finds all of it again.
std::string caption(const Drawing& drawing);

}  // namespace affiche::diffusion
