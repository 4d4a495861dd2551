// SPDX-License-Identifier: Apache-2.0
// Reading of layers, stacks, groups and their parts. Used by the sources of the template only.
#pragma once

#include "cards/schema.h"
#include "cards/template.h"

namespace affiche::cards {

// What a layer may refer to, and where its assets are.
struct LayerScope {
  const Template& card;
  std::filesystem::path folder;
  std::string assets;               // grows by the content of every asset, for the template's hash
  std::vector<std::string> names;   // that conditions may use
  std::vector<std::string> absent;  // layers that this size never draws
};

Layer read_layer(const Fields& fields, LayerScope& scope);
Effects read_effects(const Fields& fields, LayerScope& scope, const std::string& kind);
Mask read_mask(const Fields& fields, LayerScope& scope);
Paint read_paint(const Fields& fields, std::string_view key, const Template& card);
Condition read_condition(const Fields& fields, const LayerScope& scope);

// `box` or `inset`, measured from `anchor` in what `within` names; `otherwise` when neither is
// given. The box lies at least partly on the canvas.
Box read_box(const Fields& fields, const Template& card, const Box& otherwise,
             std::string_view key = "box");
// One value for all sides or [top, right, bottom, left].
std::array<double, 4> read_sides(const Fields& fields, std::string_view key, const Template& card);
// Refuses boxes that lie partly outside the canvas or, for what must be read, its safe zone.
void need_inside(const Fields& fields, std::string_view key, const Box& box, const Template& card,
                 bool safe);

// Text of an SVG beside the template, checked; a picture, decoded.
std::string read_svg(const Fields& fields, std::string_view key, LayerScope& scope);
std::shared_ptr<const Image> read_picture(const Fields& fields, std::string_view key,
                                          LayerScope& scope);

}  // namespace affiche::cards
