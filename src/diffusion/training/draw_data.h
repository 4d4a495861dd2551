// SPDX-License-Identifier: Apache-2.0
// `affiche train data`: draws captioned brand art as files.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/pictures.h"

namespace affiche::diffusion {

struct DrawnData {
  std::filesystem::path out;         // folder; made when missing
  std::vector<std::string> prompts;  // in turn, as drawing_of() reads them; empty: scenes by chance
  std::string caption;               // of all pictures; empty: what was drawn
  std::optional<Family> family;      // none: all of them by chance
  int count = 24, width = 256, height = 256;
  std::uint64_t seed = 1;       // of the first picture; the next ones count up
  bool captions = true;         // a .txt beside each picture
  std::filesystem::path sheet;  // a contact sheet of up to 48 pictures; empty: none
};

// "soft-waves" or "soft waves". Usage for no family, with the nearest one's name.
Family family_of(const std::string& words);

// Writes FAMILY-SEED with the writer's extension, and its caption. Pictures are drawn on as many
// threads as libtorch has. Returns pictures drawn a second, without the writing. Errors of the
// writer, and Usage for a size that no picture has.
double draw_data(const DrawnData& data, const PictureFiles& files);

// Adds the command "data" below `train`.
void add_data_command(CLI::App& train, const std::function<void(std::function<int()>)>& choose,
                      const PictureFiles& files);

}  // namespace affiche::diffusion
