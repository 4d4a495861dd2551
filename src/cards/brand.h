// SPDX-License-Identifier: Apache-2.0
// A brand: colours, fonts, logo, and the voice in which the model paints for it. Read from TOML;
// docs/templates.md is the reference. Immutable plain data after loading.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "cards/colour.h"

namespace affiche::cards {

struct Font {
  std::string family = "Noto Sans";
  int weight = 400;  // 100 to 1000; between the usual ones with variable fonts
  bool italic = false;
  bool small_caps = false;
  double width = 100;                  // percent of the normal width, 50 to 200
  std::map<std::string, double> axes;  // of variable fonts: "GRAD", "opsz", …
  std::vector<std::string> features;   // of OpenType: "tnum", "ss01=2"
};

struct VoiceLora {
  std::filesystem::path file;
  double weight = 1;
  std::vector<std::string> prompts;  // that it is worn for, by name; empty: all
};

// What the diffusion engine needs to know. All paths are absolute after loading.
struct Voice {
  std::filesystem::path model;  // a diffusers folder or a checkpoint file; hub:…, https://…, drawn
  std::vector<VoiceLora> loras;
  std::string scheduler;  // diffusers class name; empty: the model's own
  int steps = 20;
  double guidance = 5;
  int width = 0;  // pixels to generate; 0: the model's own
  int height = 0;
  std::int64_t seed = 0;                       // the base; a card adds the number of its variation
  int variations = 16;                         // how many pictures of each prompt the cards share
  std::map<std::string, std::string> prompts;  // by the name of the generated layer
  std::string negative_prompt;
  std::vector<std::string> palette;  // names of the colours that pictures are brought to; or none

  // Those that pictures of this prompt wear, in their order.
  std::vector<VoiceLora> loras_of(const std::string& prompt) const;
};

struct Brand {
  std::string name;       // the file's stem
  std::string publisher;  // "Northlight Review": metadata and copyright line
  std::map<std::string, Colour> colours;
  // Colours that a scheme ("dark", "light") has in place of those above.
  std::map<std::string, std::map<std::string, Colour>> schemes;
  std::map<std::string, Font> fonts;
  std::filesystem::path font_folder;  // beside the system's fonts; may be empty
  std::string logo;                   // checked SVG text, recoloured when drawn
  Voice voice;
  std::string sha256;  // over the file, the logo and the fonts in the folder (not over the model)

  // The brand in one of its schemes, with a hash of its own; "" is the brand as it is. BadInput
  // that names the nearest scheme.
  Brand in_scheme(const std::string& scheme) const;
  // BadInput that names the nearest colour or font of the brand.
  const Colour& colour(const std::string& colour_name) const;
  const Font& font(const std::string& font_name) const;
};

// Paths in the file are relative to its folder. BadInput with file:line:column.
Brand load_brand(const std::filesystem::path& path);
Brand parse_brand(const std::string& text, const std::string& what,
                  const std::filesystem::path& folder);

}  // namespace affiche::cards
