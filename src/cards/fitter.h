// SPDX-License-Identifier: Apache-2.0
// One text at all sizes. Pango breaks and shapes it once at a reference size without hinting, so
// that a smaller size is the same as a wider line: trying a size only breaks the lines anew. How
// large the text becomes, where it stands and whether it fits is decided here, on ink extents.
#pragma once

#include <string>
#include <vector>

#include "cards/even_breaks.h"
#include "cards/rich.h"
#include "cards/text.h"

namespace affiche::cards {

// What the lines look like at one size; pixels.
struct Measured {
  bool fits = false;
  int lines = 0;
  double height = 0;
  double ascent = 0;   // from the block's top to the first baseline
  double advance = 0;  // from baseline to baseline
  double widest = 0;
};

class Fitter {
 public:
  // `language` is the one to shape in; `break_bytes` are the only places where lines may break, if
  // not null. The request must outlive the fitter.
  Fitter(const TextRequest& request, const std::string& language);
  void set_content(RichText content, const std::vector<std::size_t>* break_bytes);
  // Also inside of words, if nothing else helps.
  void break_anywhere();

  // The largest size that fits, in halves of a pixel; false when not even the smallest does.
  bool search();
  // As many lines of about equal length, none of which ends with an article or another short word
  // if that costs little.
  void balance();
  // One line less, if that makes the text only a little smaller.
  void save_line();
  // No single short word alone on the last line, if holding it to the one before, another width,
  // or a size of up to an eighth less helps.
  void avoid_widow();
  // At the smallest size: cuts at a place where a line may break and adds an ellipsis. False when
  // nothing would be left.
  bool shorten();

  double size() const { return size_; }
  Measured measure() const;
  // Refuses characters that no font has.
  void refuse_missing_glyphs() const;
  FittedText finish() const;

 private:
  bool fits_at(double size);
  void set_width(double pixels);
  double scale() const { return size_ / kReferenceSize; }
  double first_ascent() const;
  double last_descent() const;
  double least_advance() const;
  std::vector<Piece> pieces();
  // Breaks where even_breaks() says; false, and nothing changed, when it knows nothing better.
  bool even_out(const Measured& now);
  bool ends_with_widow() const;
  // Keeps the last two words together; false, and nothing changed, when that takes more lines.
  bool bind_last_words(int lines);
  PangoAttrList* attributes() const;
  void add_spacing(PangoAttrList* list) const;

  static constexpr double kReferenceSize = 100;
  const TextRequest& request_;
  GObjectPtr<PangoContext> context_;
  GObjectPtr<PangoLayout> layout_;
  RichText content_;
  std::vector<std::size_t> breaks_;
  bool own_breaks_ = false;
  bool anywhere_ = false;
  bool right_to_left_language_ = false;
  double cap_ = 0;
  double size_ = 0;
  double width_ = 0;  // of the layout, pixels at size_
};

}  // namespace affiche::cards
