// SPDX-License-Identifier: Apache-2.0
// Where the layers of a card stand: texts fitted, stacks laid out, before anything is drawn.
#pragma once

#include <map>
#include <optional>
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
  std::string language;  // BCP 47, checked; empty when the job gives none
  bool with_photo = false;
  bool right_to_left = false;        // by the language, else by the texts
  std::vector<const Layer*> layers;  // those whose condition holds, back to front

  std::string what(const Layer& layer) const {
    return "template \"" + card.name + "\", layer \"" + layer.name + "\"";
  }
  // The card is set from right to left, and its template wants that mirrored.
  bool mirrored() const { return right_to_left && card.mirror; }
  // What of a box is left of the card's middle goes to the right of it, and the reverse.
  Box mirror(const Box& box) const {
    return {card.width - box.right(), box.y, box.width, box.height};
  }
  // The box that the template gives the layer or stack. Layers in stacks: Placement::box().
  template <typename Item>
  Box box(const Item& item) const {
    const Box& own = !with_photo && item.box_no_photo ? *item.box_no_photo : item.box;
    return mirrored() && item.mirror ? mirror(own) : own;
  }
};

// Whether the card reads from right to left: by the inputs' language, else by the first text that
// has a direction, required variables first.
bool reads_right_to_left(const CardJob& job);

struct PlacedText {
  FittedText text;
  double x = 0;
  double y = 0;
  Colour colour;
  double opacity = 1;
  bool credit = false;
  double needed_contrast = 4.5;

  // Each line's ink with a margin of two pixels.
  std::vector<Area> areas() const;
};

// All that has a place before drawing begins.
struct Placement {
  std::map<std::string, PlacedText> texts;  // by layer; texts that are empty are left out
  std::map<std::string, Box> boxes;  // of texts, layers in stacks, stacks: by name, as laid out

  // Nothing when the layer's host is not on this card: then the layer is not drawn.
  std::optional<Box> box(const CardJob& job, const Layer& layer) const;
};

// `credit_text` is the credit layer's content. Errors as fit_text(), and BadInput when the layers
// of a stack are larger than its box.
Placement place_layers(const CardJob& job, const std::string& credit_text);

// Parts of it, in stacks.cpp and placing.cpp.
void place_stacks(const CardJob& job, Placement& placement);
TextRequest request_for(const CardJob& job, const Layer& layer, const TextStyle& style);
PlacedText placed(const CardJob& job, const Layer& layer, const TextStyle& style, FittedText&& text,
                  double x, double y);
// Where the brand's logo is painted within its layer's box: as large as fits, at the side that the
// layer says. For logos outside stacks. BadInput for a logo without dimensions.
Box logo_box(const CardJob& job, const Layer& layer);
// The block's box: its ink from left to right, from the capitals to the last baseline.
Box block_box(const PlacedText& text);
// True for a layer that would draw nothing: no logo, no code, no figures.
bool is_empty(const CardJob& job, const Layer& layer);

}  // namespace affiche::cards
