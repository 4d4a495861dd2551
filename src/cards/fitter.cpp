// SPDX-License-Identifier: Apache-2.0
#include "cards/fitter.h"

#include <algorithm>
#include <cmath>
#include <iomanip>
#include <memory>
#include <numeric>

#include "base/error.h"
#include "cards/language.h"

namespace affiche::cards {
namespace {

constexpr double kStep = 0.5;       // pixels between the sizes that are tried
constexpr double kAir = 0.06;       // em: between the ink of lines that would touch
constexpr double kTolerance = 0.5;  // pixels that a line may stand out
constexpr const char* kNoBreakSpace = "\u00a0";
constexpr const char* kLineSeparator = "\u2028";  // a line break within a paragraph

double pixels(int units) {
  return static_cast<double>(units) / PANGO_SCALE;
}

struct Extents {
  double left = 0;
  double top = 0;
  double width = 0;
  double height = 0;
  double advance = 0;
};

// At the reference size; `top` is above the baseline and negative.
Extents line_extents(PangoLayout* layout, int line) {
  PangoRectangle ink{};
  PangoRectangle logical{};
  pango_layout_line_get_extents(pango_layout_get_line_readonly(layout, line), &ink, &logical);
  return {pixels(ink.x), pixels(ink.y), pixels(ink.width), pixels(ink.height),
          pixels(logical.width)};
}

// Letter spacing would tear the joined letters of these scripts apart.
bool is_joined(gunichar c) {
  switch (g_unichar_get_script(c)) {
    case G_UNICODE_SCRIPT_ARABIC:
    case G_UNICODE_SCRIPT_SYRIAC:
    case G_UNICODE_SCRIPT_MONGOLIAN:
    case G_UNICODE_SCRIPT_NKO:
    case G_UNICODE_SCRIPT_DEVANAGARI:
    case G_UNICODE_SCRIPT_BENGALI:
    case G_UNICODE_SCRIPT_GURMUKHI:
      return true;
    default:
      return g_unichar_ismark(c) != 0;
  }
}

void insert(PangoAttrList* list, PangoAttribute* attribute, std::size_t from, std::size_t to) {
  attribute->start_index = static_cast<guint>(from);
  attribute->end_index = static_cast<guint>(to);
  pango_attr_list_insert(list, attribute);
}

guint16 wide(double channel) {
  return static_cast<guint16>(std::lround(channel * 257));
}

// Pango keeps count of font scales within a line of the source only: one that goes on over a break
// is warned of on standard error, so each line gets its own.
void add_script(PangoAttrList* list, const Span& span, const std::string& text,
                PangoFontScale scale, PangoBaselineShift baseline) {
  for (std::size_t from = span.from; from < span.to;) {
    const std::size_t to = std::min({text.find('\n', from), span.to, text.size()});
    if (to > from) {
      insert(list, pango_attr_font_scale_new(scale), from, to);
      insert(list, pango_attr_baseline_shift_new(baseline), from, to);
    }
    from = to + 1;
  }
}

void add_mark(PangoAttrList* list, const Span& span, const std::string& text,
              const TextRequest& request) {
  const auto add = [&](PangoAttribute* attribute) { insert(list, attribute, span.from, span.to); };
  switch (span.mark) {
    case Mark::Bold:
      add(pango_attr_weight_new(
          static_cast<PangoWeight>(std::clamp(request.font.weight + 200, 700, 1000))));
      break;
    case Mark::Italic:
      add(pango_attr_style_new(request.font.italic ? PANGO_STYLE_NORMAL : PANGO_STYLE_ITALIC));
      break;
    case Mark::Underline:
      add(pango_attr_underline_new(PANGO_UNDERLINE_SINGLE));
      break;
    case Mark::Strike:
      add(pango_attr_strikethrough_new(TRUE));
      break;
    case Mark::Superscript:
      add_script(list, span, text, PANGO_FONT_SCALE_SUPERSCRIPT, PANGO_BASELINE_SHIFT_SUPERSCRIPT);
      break;
    case Mark::Subscript:
      add_script(list, span, text, PANGO_FONT_SCALE_SUBSCRIPT, PANGO_BASELINE_SHIFT_SUBSCRIPT);
      break;
    case Mark::Small:
      add(pango_attr_scale_new(0.75));
      break;
    case Mark::Accent:
      if (!request.accent) break;
      add(pango_attr_foreground_new(wide(request.accent->red), wide(request.accent->green),
                                    wide(request.accent->blue)));
      break;
  }
}

double shift(Align align, bool right_to_left, double room) {
  if (align == Align::Centre) return room / 2;
  return (align == Align::End) != right_to_left ? room : 0;
}

// Punctuation that looks wrong before an ellipsis; a soft hyphen would show.
bool is_left_out_at_cut(gunichar c) {
  constexpr std::u32string_view marks =
      U" ,.;:-/|\u00b7\u2022\u2013\u2014\u00a0\u00ad\u200b\u202f([{\u00ab\u201c\u2018"
      U"\u060c\u061b\u3001\u3002\uff0c\uff1a\uff1b\u300c\u300e\uff08";
  return marks.find(static_cast<char32_t>(c)) != std::u32string_view::npos;
}

}  // namespace

Fitter::Fitter(const TextRequest& request, const std::string& language)
    : request_(request),
      context_(make_text_context(request.font_folder, language)),
      layout_(pango_layout_new(context_.get())),
      right_to_left_language_(is_right_to_left(request.language)),
      cap_(font_facts(request.font, request.font_folder).cap_height) {
  const FontDescriptionPtr description = describe(request.font, kReferenceSize, language);
  pango_layout_set_font_description(layout_.get(), description.get());
  pango_layout_set_wrap(layout_.get(), PANGO_WRAP_WORD);
}

void Fitter::set_content(RichText content, const std::vector<std::size_t>* break_bytes) {
  content_ = std::move(content);
  own_breaks_ = break_bytes != nullptr;
  if (own_breaks_) breaks_ = *break_bytes;
  pango_layout_set_text(layout_.get(), content_.text.data(),
                        static_cast<int>(content_.text.size()));
  // A headline in Arabic that begins with a Latin name is still Arabic; a credit is a line in
  // English ("Photo: …") whoever is named in it.
  const bool right =
      right_to_left_language_ && !request_.credit && has_right_to_left(content_.text);
  pango_context_set_base_dir(context_.get(),
                             right ? PANGO_DIRECTION_RTL : PANGO_DIRECTION_WEAK_LTR);
  pango_layout_set_auto_dir(layout_.get(), right ? FALSE : TRUE);
  pango_layout_context_changed(layout_.get());
  PangoAttrList* list = attributes();
  pango_layout_set_attributes(layout_.get(), list);
  pango_attr_list_unref(list);
}

void Fitter::break_anywhere() {
  anywhere_ = true;
  set_content(content_, nullptr);
  pango_layout_set_wrap(layout_.get(), PANGO_WRAP_WORD_CHAR);
}

PangoAttrList* Fitter::attributes() const {
  PangoAttrList* list = pango_attr_list_new();
  if (request_.style.letter_spacing != 0) add_spacing(list);
  for (const Span& span : content_.spans) add_mark(list, span, content_.text, request_);
  if (!request_.font.features.empty()) {
    std::string features;
    for (const std::string& feature : request_.font.features) {
      features += (features.empty() ? "" : ", ") + feature;
    }
    pango_attr_list_insert(list, pango_attr_font_features_new(features.c_str()));
  }
  // A hyphen added to a name or an address would change it.
  if (request_.credit) pango_attr_list_insert(list, pango_attr_insert_hyphens_new(FALSE));
  if (own_breaks_) {
    std::size_t from = 0;
    for (std::size_t i = 0; i <= breaks_.size(); ++i) {
      const std::size_t to = i < breaks_.size() ? breaks_[i] : content_.text.size();
      insert(list, pango_attr_allow_breaks_new(FALSE), from, to);
      from = to;
    }
  }
  return list;
}

void Fitter::add_spacing(PangoAttrList* list) const {
  const int spacing =
      static_cast<int>(request_.style.letter_spacing * kReferenceSize * PANGO_SCALE);
  const std::string& text = content_.text;
  std::size_t from = 0;
  bool spaced = false;
  for (const gchar* at = text.c_str();; at = g_utf8_next_char(at)) {
    const auto here = static_cast<std::size_t>(at - text.c_str());
    const bool now = *at != '\0' && !is_joined(g_utf8_get_char(at));
    if (now == spaced && *at != '\0') continue;
    if (spaced && here > from) insert(list, pango_attr_letter_spacing_new(spacing), from, here);
    from = here;
    spaced = now;
    if (*at == '\0') return;
  }
}

void Fitter::set_width(double width) {
  width_ = width;
  pango_layout_set_width(layout_.get(), static_cast<int>(width / scale() * PANGO_SCALE));
}

Measured Fitter::measure() const {
  Measured result;
  result.lines = pango_layout_get_line_count(layout_.get());
  for (int i = 0; i < result.lines; ++i) {
    const Extents line = line_extents(layout_.get(), i);
    result.widest = std::max({result.widest, line.advance * scale(), line.width * scale()});
  }
  result.ascent = first_ascent();
  result.advance = std::max(size_ * request_.style.line_height, least_advance());
  result.height = result.ascent + (result.lines - 1) * result.advance + last_descent();
  result.fits = result.lines <= request_.style.lines &&
                result.widest <= request_.width + kTolerance &&
                (request_.height <= 0 || result.height <= request_.height + kTolerance);
  return result;
}

// Cap height, or more when the first line's ink stands clearly above it (Arabic, Devanagari, Thai;
// accents on capitals are left to the gap above).
double Fitter::first_ascent() const {
  const Extents line = line_extents(layout_.get(), 0);
  return std::max(cap_ * size_, -line.top * scale() - 0.25 * size_);
}

double Fitter::last_descent() const {
  const Extents line = line_extents(layout_.get(), pango_layout_get_line_count(layout_.get()) - 1);
  return std::max(0.0, (line.top + line.height) * scale() - 0.28 * size_);
}

// So far apart that no line's ink reaches into the next one: marks of Thai and Arabic stand higher
// and hang lower than the line height of a Latin headline allows.
double Fitter::least_advance() const {
  double least = 0;
  const int count = pango_layout_get_line_count(layout_.get());
  for (int i = 1; i < count; ++i) {
    const Extents above = line_extents(layout_.get(), i - 1);
    const Extents below = line_extents(layout_.get(), i);
    if (above.width <= 0 || below.width <= 0) continue;
    least = std::max(least, (above.top + above.height - below.top) * scale() + kAir * size_);
  }
  return least;
}

bool Fitter::fits_at(double size) {
  size_ = size;
  set_width(request_.width);
  return measure().fits;
}

bool Fitter::search() {
  const TextStyle& style = request_.style;
  if (fits_at(style.max_size)) return true;
  if (!fits_at(style.min_size)) return false;
  int low = 0;
  int high = static_cast<int>((style.max_size - style.min_size) / kStep);
  while (low < high) {
    const int middle = (low + high + 1) / 2;
    if (fits_at(style.min_size + middle * kStep)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return fits_at(style.min_size + low * kStep);
}

void Fitter::balance() {
  const Measured before = measure();
  if (before.lines < 2) return;
  double low = request_.width / before.lines;
  double high = request_.width;
  while (high - low > 1) {
    const double middle = (low + high) / 2;
    set_width(middle);
    const Measured now = measure();
    if (now.lines <= before.lines && now.widest <= middle + kTolerance && now.fits) {
      high = middle;
    } else {
      low = middle;
    }
  }
  set_width(std::ceil(high));
  if (!measure().fits) set_width(request_.width);
  even_out(before);
}

std::vector<Piece> Fitter::pieces() {
  pango_layout_set_width(layout_.get(), -1);
  const std::string& text = content_.text;
  std::vector<double> reach(text.size() + 1, 0);  // of the clusters that begin before a byte
  const std::unique_ptr<PangoLayoutIter, decltype(&pango_layout_iter_free)> at(
      pango_layout_get_iter(layout_.get()), &pango_layout_iter_free);
  do {
    PangoRectangle logical{};
    if (pango_layout_iter_get_run_readonly(at.get()) == nullptr) continue;
    pango_layout_iter_get_cluster_extents(at.get(), nullptr, &logical);
    reach[static_cast<std::size_t>(pango_layout_iter_get_index(at.get())) + 1] +=
        pixels(logical.width) * scale();
  } while (pango_layout_iter_next_cluster(at.get()) != 0);
  std::partial_sum(reach.begin(), reach.end(), reach.begin());

  std::vector<Piece> result;
  int count = 0;
  const PangoLogAttr* marks = pango_layout_get_log_attrs_readonly(layout_.get(), &count);
  std::size_t from = 0;
  for (int i = 1; i < count; ++i) {
    const gchar* next = g_utf8_offset_to_pointer(text.c_str(), i);
    if (marks[i].is_line_break == 0 && *next != '\0') continue;
    Piece piece;
    piece.next = static_cast<std::size_t>(next - text.c_str());
    // Between words only: an address or a compound is parted where nothing else helps.
    if (text[piece.next - 1] != ' ' && *next != '\0') continue;
    piece.to = text.find_last_not_of(' ', piece.next - 1) + 1;
    piece.width = reach[piece.to] - reach[from];
    piece.space = reach[piece.next] - reach[piece.to];
    piece.is_short = is_short_word(text.substr(from, piece.to - from));
    from = piece.next;
    result.push_back(piece);
  }
  set_width(width_);
  return result;
}

bool Fitter::even_out(const Measured& now) {
  // A soft hyphen's width is known only where it shows, and phrases have breaks of their own.
  if (own_breaks_ || anywhere_ || content_.text.find('\n') != std::string::npos ||
      content_.text.find("\u00ad") != std::string::npos) {
    return false;
  }
  const std::vector<Piece> words = pieces();
  const std::vector<std::size_t> breaks = even_breaks(words, now.lines, request_.width);
  if (breaks.empty()) return false;
  std::vector<TextEdit> edits;
  for (const std::size_t i : breaks) {
    const Piece& last = words[i - 1];
    edits.push_back({last.to, last.next - last.to, kLineSeparator});
  }
  const RichText loose = content_;
  const double width = width_;
  set_content(edited(loose, edits), nullptr);
  set_width(request_.width + 1);
  if (const Measured even = measure(); even.fits && even.lines == now.lines) return true;
  set_content(loose, nullptr);
  set_width(width);
  return false;
}

void Fitter::save_line() {
  const Measured before = measure();
  if (before.lines < 2) return;
  constexpr double kLeastShare = 0.9;
  const double size = size_;
  const double least = std::max(size * kLeastShare, request_.style.min_size);
  for (double smaller = size - kStep; smaller >= least; smaller -= kStep) {
    if (fits_at(smaller) && measure().lines < before.lines && !ends_with_widow()) return;
  }
  fits_at(size);
}

bool Fitter::ends_with_widow() const {
  const int last = pango_layout_get_line_count(layout_.get()) - 1;
  const PangoLayoutLine* line = pango_layout_get_line_readonly(layout_.get(), last);
  const std::string words = content_.text.substr(static_cast<std::size_t>(line->start_index),
                                                 static_cast<std::size_t>(line->length));
  constexpr double kShort = 0.45;  // of the box
  return words.find(' ') == std::string::npos &&
         line_extents(layout_.get(), last).width * scale() < kShort * request_.width;
}

bool Fitter::bind_last_words(int lines) {
  const std::size_t space = content_.text.rfind(' ');
  if (own_breaks_ || anywhere_ || space == std::string::npos) return false;
  const RichText loose = content_;
  const double width = width_;
  set_content(edited(loose, {{space, 1, kNoBreakSpace}}), nullptr);
  set_width(request_.width);
  const Measured now = measure();
  if (now.fits && now.lines <= lines && !ends_with_widow()) {
    if (request_.style.balance) balance();
    return true;
  }
  set_content(loose, nullptr);
  set_width(width);
  return false;
}

void Fitter::avoid_widow() {
  const Measured before = measure();
  if (before.lines < 2 || !ends_with_widow() || bind_last_words(before.lines)) return;
  const double width = width_;
  const double size = size_;
  const auto good = [&] {
    const Measured now = measure();
    return now.lines <= before.lines && now.fits && now.widest <= width_ + kTolerance &&
           !ends_with_widow();
  };
  // Other breaks at this size: narrower, wider where it was balanced.
  constexpr int kTries = 16;
  for (int i = 1; i <= kTries; ++i) {
    set_width(request_.width * (1 - 0.5 * i / kTries));
    if (good()) return;
  }
  // A little smaller, so that the word moves up or gets company.
  constexpr double kLeastShare = 0.88;
  const double least = std::max(size * kLeastShare, request_.style.min_size);
  for (double smaller = size - kStep; smaller >= least; smaller -= kStep) {
    size_ = smaller;
    set_width(request_.width);
    if (good()) return;
  }
  size_ = size;
  set_width(width);
}

bool Fitter::shorten() {
  fits_at(request_.style.min_size);
  int count = 0;
  const PangoLogAttr* attributes = pango_layout_get_log_attrs_readonly(layout_.get(), &count);
  const RichText whole = content_;
  const std::vector<std::size_t> places = breaks_;
  std::vector<std::size_t> ends;  // bytes
  for (int i = 1; i < count; ++i) {
    if ((anywhere_ ? attributes[i].is_char_break : attributes[i].is_line_break) == 0) continue;
    const gchar* end = g_utf8_offset_to_pointer(whole.text.c_str(), i);
    while (end > whole.text.c_str() && is_left_out_at_cut(g_utf8_get_char(g_utf8_prev_char(end)))) {
      end = g_utf8_prev_char(end);
    }
    const auto bytes = static_cast<std::size_t>(end - whole.text.c_str());
    if (bytes > 0 && (ends.empty() || bytes > ends.back())) ends.push_back(bytes);
  }
  const auto fits_to = [&](std::size_t i) {
    std::vector<std::size_t> kept = places;
    std::erase_if(kept, [&](std::size_t at) { return at >= ends[i]; });
    set_content(shortened(whole, ends[i], "…"), own_breaks_ ? &kept : nullptr);
    return measure().fits;
  };
  std::size_t low = 0;
  std::size_t high = ends.size();
  while (low < high) {
    const std::size_t middle = (low + high) / 2;
    if (fits_to(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  // More text may take fewer lines by accident of the breaks; what was found still has to fit.
  for (; low > 0; --low) {
    if (fits_to(low - 1)) return true;
  }
  breaks_ = places;
  set_content(whole, own_breaks_ ? &places : nullptr);
  return false;
}

void Fitter::refuse_missing_glyphs() const {
  for (int i = 0; i < pango_layout_get_line_count(layout_.get()); ++i) {
    const PangoLayoutLine* line = pango_layout_get_line_readonly(layout_.get(), i);
    for (const GSList* at = line->runs; at != nullptr; at = at->next) {
      const auto* run = static_cast<const PangoLayoutRun*>(at->data);
      for (int g = 0; g < run->glyphs->num_glyphs; ++g) {
        const PangoGlyph glyph = run->glyphs->glyphs[g].glyph;
        if ((glyph & PANGO_GLYPH_UNKNOWN_FLAG) == 0) continue;
        std::ostringstream code;
        code << std::hex << std::uppercase << std::setfill('0') << std::setw(4)
             << (glyph & ~PANGO_GLYPH_UNKNOWN_FLAG);
        fail(Cause::BadInput, request_.what, ": neither ", request_.font.family,
             " nor any other font has the character U+", code.str(),
             "; install a font of its script (Chinese, Japanese, Korean: fonts-noto-cjk), or put "
             "one into the brand's font_folder");
      }
    }
  }
}

FittedText Fitter::finish() const {
  const Measured measured = measure();
  FittedText result;
  result.scale_ = scale();
  result.size_ = size_;
  result.height_ = measured.height;
  result.text_ = content_.text;
  for (std::size_t at; (at = result.text_.find(kLineSeparator)) != std::string::npos;) {
    result.text_.replace(at, std::string_view(kLineSeparator).size(), " ");
  }
  result.right_to_left_ = request_.right_to_left.value_or(
      right_to_left_language_ ||
      pango_layout_get_direction(layout_.get(), 0) == PANGO_DIRECTION_RTL);
  for (int i = 0; i < measured.lines; ++i) {
    const Extents ink = line_extents(layout_.get(), i);
    FittedText::Line line;
    // Ink, not advance widths, meets the margin: side bearings grow with the size, and lines of
    // different sizes would not share an edge.
    line.x =
        shift(request_.style.align, result.right_to_left_, request_.width - ink.width * scale()) -
        ink.left * scale();
    line.baseline = measured.ascent + i * measured.advance;
    line.ink = {line.x + ink.left * scale(), line.baseline + ink.top * scale(), ink.width * scale(),
                ink.height * scale()};
    result.lines_.push_back(line);
  }
  result.layout_ = std::shared_ptr<PangoLayout>(
      static_cast<PangoLayout*>(g_object_ref(layout_.get())), GObjectDeleter());
  return result;
}

}  // namespace affiche::cards
