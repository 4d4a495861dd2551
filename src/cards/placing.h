// SPDX-License-Identifier: Apache-2.0
// Where the texts of a card stand: fitted, stacked, before anything is drawn.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "cards/canvas.h"
#include "cards/compose.h"
#include "cards/text.h"

namespace affiche::cards {

// What one card is made from, resolved.
struct CardJob {
  const Template& card;
  const Brand& brand;
  const CardInputs& inputs;
  std::map<std::string, std::string> values;
  bool with_photo = false;
  std::vector<const Layer*> layers;  // those whose condition holds, back to front

  std::string what(const Layer& layer) const {
    return "template \"" + card.name + "\", layer \"" + layer.name + "\"";
  }
  const Box& box(const Layer& layer) const {
    return !with_photo && layer.box_no_photo ? *layer.box_no_photo : layer.box;
  }
};

struct PlacedText {
  FittedText text;
  double x = 0;
  double y = 0;
  Colour colour;
  double opacity = 1;
  bool credit = false;
  double needed_contrast = 4.5;

  // Each line's ink with a margin of two pixels: the pixels whose contrast counts.
  std::vector<Area> areas() const;
};

// By layer name; texts that are empty are left out. `credit_text` is the credit layer's content.
// Errors as fit_text(), and BadInput when the texts of a stack are higher than its box.
std::map<std::string, PlacedText> place_texts(const CardJob& job, const std::string& credit_text);

}  // namespace affiche::cards
