// SPDX-License-Identifier: Apache-2.0
// Text on the card: cleaned, fitted to a box, placed line by line on a grid of our own. User text
// never passes through markup.
#pragma once

#include <array>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cards/brand.h"
#include "cards/fonts.h"
#include "cards/template.h"

namespace affiche::cards {

struct Inked;  // glyph_runs.h

// One line of valid UTF-8 in NFC: white space collapsed, control characters and bidirectional
// overrides removed, at most four combining marks on a character. BadInput for invalid UTF-8.
std::string clean_text(const std::string& text, const std::string& what);
// Characters as a reader counts them (code points that are no combining marks).
int count_characters(const std::string& utf8);

struct TextRequest {
  std::string text;  // cleaned; with marks as read_rich() knows them where the style is rich
  TextStyle style;
  Font font;
  std::filesystem::path font_folder;
  double width = 0;      // pixels
  double height = 0;     // pixels, at most; 0: any
  std::string language;  // BCP 47; empty: what the script says, and no hyphens
  std::string what;      // for errors: template and layer
  // The credit: shrinking stops at min_size, words longer than a line break without a hyphen, and
  // not fitting is Refused, not BadInput.
  bool credit = false;
  // Which side Align::Start is; by the text's own direction when not given.
  std::optional<bool> right_to_left;
  bool breaks = true;            // words may be broken, and the text cut where the style allows it
  std::optional<Colour> accent;  // of what is marked with <mark>, where the style is rich
};

// Text at its final size. Positions are pixels from the upper left corner of the block, whose top
// is the cap height of the first line and whose bottom is the last baseline (more for tall
// scripts).
class FittedText {
 public:
  struct Line {
    double x = 0;
    double baseline = 0;
    Box ink;
  };
  double size() const { return size_; }
  double height() const { return height_; }
  bool right_to_left() const { return right_to_left_; }
  const std::string& text() const { return text_; }
  const std::vector<Line>& lines() const { return lines_; }
  Box ink() const;  // of all lines
  void draw(cairo_t* context, double x, double y, const Colour& colour, double opacity) const;
  // Calls `draw_line` with the origin of the context at the beginning of each baseline, and scaled
  // to the units of the line.
  void draw_lines(cairo_t* context, double x, double y,
                  const std::function<void(PangoLayoutLine*)>& draw_line) const;

 private:
  friend class Fitter;
  friend std::shared_ptr<const std::vector<Inked>> inked_pixels(const FittedText& text, double x,
                                                                double y, const Colour& colour,
                                                                int width, int height);
  // The last answer of inked_pixels() and what it was for, shared by copies.
  struct Ink {
    std::array<double, 4> place{};
    std::shared_ptr<const std::vector<Inked>> pixels;
  };
  std::shared_ptr<PangoLayout> layout_;  // at a reference size; belongs to this thread
  double scale_ = 1;
  std::string text_;
  double size_ = 0;
  double height_ = 0;
  bool right_to_left_ = false;
  std::vector<Line> lines_;
  std::shared_ptr<Ink> ink_ = std::make_shared<Ink>();
};

// The largest size between max_size and min_size, in halves of a pixel, at which the text stays
// within the lines, the width and the height; words are hyphenated, cut or broken only if even
// min_size is too large. BadInput when it does not fit (and may not be cut), is longer than 20,000
// bytes, or has characters that no font has. The last results of each thread are kept.
FittedText fit_text(const TextRequest& request);
// The same, but nothing when it does not fit.
std::optional<FittedText> try_fit_text(const TextRequest& request);

// Text in parts ("name", "date"): on one line if that fits, else with the line breaks between the
// parts where the joints would be, else broken anywhere. request.text is not used.
FittedText fit_parts(const TextRequest& request, const std::vector<std::string>& parts,
                     const std::string& joint);

}  // namespace affiche::cards
