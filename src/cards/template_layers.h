// SPDX-License-Identifier: Apache-2.0
// Reading of one [[layers]] table. Used by template.cpp only.
#pragma once

#include "base/toml.h"
#include "cards/template.h"

namespace affiche::cards {

// What a layer may refer to, and where its assets are.
struct LayerScope {
  const Template& card;
  std::filesystem::path folder;
  std::string assets;  // grows by the content of every asset, for the template's hash
};

Layer read_layer(TomlReader& reader, LayerScope& scope);

Box read_box(TomlReader& reader, std::string_view key, const Template& card);

// Text of an SVG beside the template, checked.
std::string read_svg(const TomlReader& reader, std::string_view key, const std::string& file,
                     LayerScope& scope);

}  // namespace affiche::cards
