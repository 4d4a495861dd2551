// SPDX-License-Identifier: Apache-2.0
// Template + brand + inputs -> the card's pixels. Same inputs, fonts and library versions: same
// pixels. Thread-safe: compose different cards in different threads.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cards/brand.h"
#include "cards/prepared_parts.h"
#include "cards/template.h"
#include "imaging/credit.h"
#include "imaging/image.h"
#include "imaging/photo.h"

namespace affiche::cards {

struct CardInputs {
  std::map<std::string, std::string> variables;
  std::optional<Photo> photo;                  // none: the template's photo-less variant
  std::map<std::string, Generated> generated;  // by layer source: "background", "chrome"
  std::vector<std::string> notes;              // what the card's record must say of the inputs
  // Where what cards share is kept; none: everything is made anew. The pixels are the same.
  std::shared_ptr<PreparedParts> kept;
  // BCP 47, for shaping, breaking and hyphens; empty: the variable "lang", or what the script says
  std::string language;
};

// What a layer became, for reports and tests.
struct LayerReport {
  std::string name;
  Box box;          // text: its ink
  double size = 0;  // text: pixels per em
  int lines = 0;
  double contrast = 0;            // text: the lowest under its glyphs
  std::vector<double> baselines;  // text: y of each line
};

struct Composed {
  Image image;                            // RGB
  std::string language;                   // BCP 47; empty when the job gave none
  std::optional<Credit> credit;           // as used: with "cropped" when the crop removed something
  std::string credit_line;                // credit_line(*credit); empty without a photo
  bool hero = false;                      // nothing but the photo: make_hero()
  std::map<std::string, Recipe> recipes;  // of the pictures that were drawn, by layer source
  std::vector<LayerReport> layers;        // those that were drawn, back to front
  std::vector<std::string> notes;         // CardInputs::notes
  // Milliseconds by step, for measurements: "photo", "text layout", "layer NAME" ….
  std::map<std::string, double> timings;
  std::vector<std::string> warnings;  // for instance a photo enlarged beyond its pixels
};

// Errors: BadInput (unknown or missing variable, text that does not fit, glyph that no font has, an
// undecodable or oversized photo), NotFound (a generated picture that the template needs and no
// photo where photo_missing is "fail"), Refused (a credit that does not fit or cannot be read).
Composed compose(const Template& card, const Brand& brand, const CardInputs& inputs);

}  // namespace affiche::cards
