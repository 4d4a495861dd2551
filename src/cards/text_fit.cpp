// SPDX-License-Identifier: Apache-2.0
// The search for the size. Pango breaks the lines and shapes them; how large they are, where they
// stand and whether they fit is decided here, on logical and ink extents without hinting.
#include <algorithm>
#include <cmath>
#include <iomanip>

#include "base/error.h"
#include "cards/text.h"

namespace affiche::cards {
namespace {

constexpr double kStep = 0.5;       // pixels between the sizes that are tried
constexpr double kTolerance = 0.5;  // pixels that a line may stand out

struct Measured {
  bool fits = false;
  int lines = 0;
  double height = 0;
  double ascent = 0;
  double widest = 0;
};

double pixels(int units) {
  return static_cast<double>(units) / PANGO_SCALE;
}

// Letter spacing would tear the joined letters of these scripts apart.
bool has_joined_script(const std::string& text) {
  for (const gchar* at = text.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    switch (g_unichar_get_script(g_utf8_get_char(at))) {
      case G_UNICODE_SCRIPT_ARABIC:
      case G_UNICODE_SCRIPT_SYRIAC:
      case G_UNICODE_SCRIPT_MONGOLIAN:
      case G_UNICODE_SCRIPT_NKO:
      case G_UNICODE_SCRIPT_DEVANAGARI:
      case G_UNICODE_SCRIPT_BENGALI:
      case G_UNICODE_SCRIPT_GURMUKHI:
        return true;
      default:
        break;
    }
  }
  return false;
}

class Fitter {
 public:
  explicit Fitter(const TextRequest& request)
      : request_(request),
        context_(make_text_context(request.font_folder, request.language)),
        layout_(pango_layout_new(context_.get())),
        cap_(cap_height(context_.get(), request.font)),
        joined_(has_joined_script(request.text)) {
    pango_layout_set_auto_dir(layout_.get(), TRUE);
    set_text(request.text);
    set_width(request.width);
  }

  void set_text(const std::string& text) {
    pango_layout_set_text(layout_.get(), text.data(), static_cast<int>(text.size()));
  }
  void set_width(double width) {
    pango_layout_set_width(layout_.get(), static_cast<int>(width * PANGO_SCALE));
  }
  void break_words(bool allowed) {
    pango_layout_set_wrap(layout_.get(), allowed ? PANGO_WRAP_WORD_CHAR : PANGO_WRAP_WORD);
  }

  void set_size(double size) {
    size_ = size;
    const FontDescriptionPtr description = describe(request_.font, size);
    pango_layout_set_font_description(layout_.get(), description.get());
    PangoAttrList* attributes = pango_attr_list_new();
    if (request_.style.letter_spacing != 0 && !joined_) {
      pango_attr_list_insert(attributes, pango_attr_letter_spacing_new(static_cast<int>(
                                             request_.style.letter_spacing * size * PANGO_SCALE)));
    }
    if (request_.style.uppercase) {
      pango_attr_list_insert(attributes,
                             pango_attr_text_transform_new(PANGO_TEXT_TRANSFORM_UPPERCASE));
    }
    // A hyphen added to a name or an address would change it.
    if (request_.credit) {
      pango_attr_list_insert(attributes, pango_attr_insert_hyphens_new(FALSE));
    }
    pango_layout_set_attributes(layout_.get(), attributes);
    pango_attr_list_unref(attributes);
  }

  Measured measure() {
    Measured result;
    result.lines = pango_layout_get_line_count(layout_.get());
    for (int i = 0; i < result.lines; ++i) {
      PangoRectangle ink{};
      PangoRectangle logical{};
      pango_layout_line_get_extents(pango_layout_get_line_readonly(layout_.get(), i), &ink,
                                    &logical);
      result.widest = std::max({result.widest, pixels(logical.width), pixels(ink.width)});
    }
    result.ascent = first_ascent();
    result.height =
        result.ascent + (result.lines - 1) * size_ * request_.style.line_height + last_descent();
    result.fits = result.lines <= request_.style.lines &&
                  result.widest <= request_.width + kTolerance &&
                  (request_.height <= 0 || result.height <= request_.height + kTolerance);
    return result;
  }

  bool fits_at(double size) {
    set_size(size);
    return measure().fits;
  }

  // Bisection over the sizes; false when not even the smallest fits. Leaves the size set.
  bool search() {
    if (fits_at(request_.style.max_size)) return true;
    if (!fits_at(request_.style.min_size)) return false;
    int low = 0;
    int high = static_cast<int>((request_.style.max_size - request_.style.min_size) / kStep);
    while (low < high) {
      const int middle = (low + high + 1) / 2;
      if (fits_at(request_.style.min_size + middle * kStep)) {
        low = middle;
      } else {
        high = middle - 1;
      }
    }
    set_size(request_.style.min_size + low * kStep);
    return true;
  }

  // The narrowest layout with as many lines: lines of about equal length, no lonely last word.
  void balance() {
    const int lines = pango_layout_get_line_count(layout_.get());
    if (lines < 2) return;
    double low = request_.width / lines;
    double high = request_.width;
    while (high - low > 1) {
      const double middle = (low + high) / 2;
      set_width(middle);
      const Measured now = measure();
      if (now.lines <= lines && now.widest <= middle + kTolerance) {
        high = middle;
      } else {
        low = middle;
      }
    }
    set_width(std::ceil(high));
  }

  // Cuts at a place where a line may break and adds an ellipsis. False when nothing is left.
  bool shorten() {
    set_size(request_.style.min_size);
    int count = 0;
    const PangoLogAttr* attributes = pango_layout_get_log_attrs_readonly(layout_.get(), &count);
    const std::vector<PangoLogAttr> places(attributes, attributes + count);
    for (int i = count - 1; i > 0; --i) {
      if (!places[i].is_line_break) continue;
      const gchar* end = g_utf8_offset_to_pointer(request_.text.c_str(), i);
      std::string part(request_.text.c_str(), end);
      while (!part.empty() && std::string(" ,.;:-").find(part.back()) != std::string::npos) {
        part.pop_back();
      }
      if (part.empty()) return false;
      set_text(part + "…");
      if (measure().fits) return true;
    }
    return false;
  }

  double size() const { return size_; }
  PangoLayout* layout() { return layout_.get(); }
  GObjectPtr<PangoLayout> release() { return std::move(layout_); }

 private:
  // Cap height, or more when the first line's ink stands clearly above it (Arabic, Devanagari,
  // Thai, accents on capitals are left to the gap above).
  double first_ascent() {
    PangoRectangle ink{};
    pango_layout_line_get_extents(pango_layout_get_line_readonly(layout_.get(), 0), &ink, nullptr);
    return std::max(cap_ * size_, -pixels(ink.y) - 0.25 * size_);
  }
  double last_descent() {
    const int last = pango_layout_get_line_count(layout_.get()) - 1;
    PangoRectangle ink{};
    pango_layout_line_get_extents(pango_layout_get_line_readonly(layout_.get(), last), &ink,
                                  nullptr);
    return std::max(0.0, pixels(ink.y + ink.height) - 0.28 * size_);
  }

  const TextRequest& request_;
  GObjectPtr<PangoContext> context_;
  GObjectPtr<PangoLayout> layout_;
  double cap_;
  bool joined_;
  double size_ = 0;
};

[[noreturn]] void does_not_fit(const TextRequest& request) {
  const TextStyle& style = request.style;
  fail(request.credit ? Cause::Refused : Cause::BadInput, request.what, ": \"", request.text,
       "\" does not fit into ", request.width, " pixels and ", style.lines, " line(s) at ",
       style.min_size, " pixels",
       request.credit ? "; a credit is never cut: enlarge the layer's box or use another photo"
                      : "; shorten it, enlarge the box, or allow ellipsis");
}

void refuse_missing_glyphs(PangoLayout* layout, const TextRequest& request) {
  for (int i = 0; i < pango_layout_get_line_count(layout); ++i) {
    const PangoLayoutLine* line = pango_layout_get_line_readonly(layout, i);
    for (const GSList* at = line->runs; at != nullptr; at = at->next) {
      const auto* run = static_cast<const PangoLayoutRun*>(at->data);
      for (int g = 0; g < run->glyphs->num_glyphs; ++g) {
        const PangoGlyph glyph = run->glyphs->glyphs[g].glyph;
        if ((glyph & PANGO_GLYPH_UNKNOWN_FLAG) == 0) continue;
        std::ostringstream code;
        code << std::hex << std::uppercase << std::setfill('0') << std::setw(4)
             << (glyph & ~PANGO_GLYPH_UNKNOWN_FLAG);
        fail(Cause::BadInput, request.what, ": neither ", request.font.family,
             " nor any other font has the character U+", code.str(),
             "; install a font of its script (Chinese, Japanese, Korean: fonts-noto-cjk)");
      }
    }
  }
}

std::string joined(const std::vector<std::string>& parts, std::size_t from, std::size_t to,
                   const std::string& joint) {
  std::string text;
  for (std::size_t i = from; i < to; ++i) text += (i > from ? joint : "") + parts[i];
  return text;
}

// The places to cut the parts into two lines, those with the most even lines first.
std::vector<std::size_t> even_splits(const std::vector<std::string>& parts) {
  const auto unevenness = [&](std::size_t at) {
    return std::abs(count_characters(joined(parts, 0, at, "   ")) -
                    count_characters(joined(parts, at, parts.size(), "   ")));
  };
  std::vector<std::size_t> splits;
  for (std::size_t at = 1; at < parts.size(); ++at) splits.push_back(at);
  std::stable_sort(splits.begin(), splits.end(),
                   [&](std::size_t a, std::size_t b) { return unevenness(a) < unevenness(b); });
  return splits;
}

double shift(Align align, bool right_to_left, double room) {
  if (align == Align::Centre) return room / 2;
  return (align == Align::End) != right_to_left ? room : 0;
}

}  // namespace

std::optional<FittedText> try_fit_text(const TextRequest& request) {
  Fitter fitter(request);
  fitter.break_words(false);
  bool fitted = fitter.search();
  if (fitted && request.style.balance) fitter.balance();
  if (!fitted && request.breaks) {
    fitter.break_words(true);
    fitted = fitter.search();
  }
  if (!fitted && request.breaks && request.style.ellipsis && !request.credit)
    fitted = fitter.shorten();
  if (!fitted) return std::nullopt;
  refuse_missing_glyphs(fitter.layout(), request);

  const Measured measured = fitter.measure();
  FittedText result;
  result.size_ = fitter.size();
  result.height_ = measured.height;
  result.text_ = pango_layout_get_text(fitter.layout());
  result.right_to_left_ = pango_layout_get_direction(fitter.layout(), 0) == PANGO_DIRECTION_RTL;
  for (int i = 0; i < measured.lines; ++i) {
    PangoRectangle ink{};
    PangoRectangle logical{};
    pango_layout_line_get_extents(pango_layout_get_line_readonly(fitter.layout(), i), &ink,
                                  &logical);
    FittedText::Line line;
    // Ink, not advance widths, meets the margin: side bearings grow with the size, and lines of
    // different sizes would not share an edge.
    line.x = shift(request.style.align, request.right_to_left.value_or(result.right_to_left_),
                   request.width - pixels(ink.width)) -
             pixels(ink.x);
    line.baseline = measured.ascent + i * fitter.size() * request.style.line_height;
    line.ink = {line.x + pixels(ink.x), line.baseline + pixels(ink.y), pixels(ink.width),
                pixels(ink.height)};
    result.lines_.push_back(line);
  }
  result.layout_ = fitter.release();
  return result;
}

FittedText fit_text(const TextRequest& request) {
  std::optional<FittedText> fitted = try_fit_text(request);
  if (!fitted) does_not_fit(request);
  return std::move(*fitted);
}

FittedText fit_parts(const TextRequest& request, const std::vector<std::string>& parts,
                     const std::string& joint) {
  TextRequest whole = request;
  whole.text = joined(parts, 0, parts.size(), joint);
  if (parts.size() < 2 || request.style.lines < 2) return fit_text(whole);
  TextRequest attempt = whole;
  attempt.breaks = false;
  attempt.style.lines = 1;
  if (std::optional<FittedText> fitted = try_fit_text(attempt)) return std::move(*fitted);
  // A part that is longer than the line runs on to a third one; no line ends with a joint.
  for (const int lines : {2, request.style.lines}) {
    attempt.style.lines = lines;
    for (const std::size_t at : even_splits(parts)) {
      attempt.text = joined(parts, 0, at, joint) + "\n" + joined(parts, at, parts.size(), joint);
      if (std::optional<FittedText> fitted = try_fit_text(attempt)) return std::move(*fitted);
    }
  }
  return fit_text(whole);
}

}  // namespace affiche::cards
