// SPDX-License-Identifier: Apache-2.0
// The choice between ways to set a text: with phrases kept whole, with every break its language
// allows, with hyphens, broken anywhere, cut. The search for the size of each is in fitter.cpp.
#include <algorithm>
#include <bit>
#include <cmath>
#include <list>
#include <sstream>
#include <unordered_map>

#include "base/error.h"
#include "cards/breaks.h"
#include "cards/fitter.h"
#include "cards/language.h"
#include "cards/parts.h"

namespace affiche::cards {
namespace {

constexpr const char* kSoftHyphen = "\u00ad";
constexpr const char* kZeroWidthSpace = "\u200b";
constexpr std::size_t kMostBytes = 20'000;

// The beginning of a text, for errors.
std::string excerpt(const std::string& text) {
  constexpr glong kMost = 160;
  if (g_utf8_strlen(text.c_str(), -1) <= kMost) return text;
  const gchar* end = g_utf8_offset_to_pointer(text.c_str(), kMost);
  return std::string(text.c_str(), end) + "…";
}

[[noreturn]] void does_not_fit(const TextRequest& request) {
  const TextStyle& style = request.style;
  fail(request.credit ? Cause::Refused : Cause::BadInput, request.what, ": \"",
       excerpt(request.text), "\" does not fit into ", request.width, " pixels and ", style.lines,
       " line(s) at ", style.min_size, " pixels",
       request.credit   ? "; a credit is never cut: enlarge the layer's box or use another photo"
       : style.ellipsis ? "; shorten it or enlarge the box"
                        : "; shorten it, enlarge the box, or allow ellipsis");
}

// Each part of equal marks on its own, for capitals may be longer than the letters they replace.
RichText capitalised(const RichText& source, const std::string& language) {
  std::vector<std::size_t> cuts = {0, source.text.size()};
  for (const Span& span : source.spans) cuts.insert(cuts.end(), {span.from, span.to});
  std::sort(cuts.begin(), cuts.end());
  cuts.erase(std::unique(cuts.begin(), cuts.end()), cuts.end());
  std::vector<TextEdit> edits;
  for (std::size_t i = 0; i + 1 < cuts.size(); ++i) {
    const std::size_t size = cuts[i + 1] - cuts[i];
    edits.push_back({cuts[i], size, in_capitals(source.text.substr(cuts[i], size), language)});
  }
  return edited(source, edits);
}

RichText kept_together(const RichText& source, const std::string& language) {
  const std::string kept = with_kept_words(source.text, language);
  if (kept == source.text) return source;
  std::vector<TextEdit> edits;
  std::size_t to = 0;
  for (std::size_t at = 0; at < source.text.size(); ++at, ++to) {
    if (source.text[at] == kept[to]) continue;
    const std::size_t size = kept[to] == '\xc2' ? 2 : 3;
    edits.push_back({at, 1, kept.substr(to, size)});
    to += size - 1;
  }
  return edited(source, edits);
}

RichText prepared(const TextRequest& request, const std::string& language) {
  RichText content =
      request.style.rich && !request.credit ? read_rich(request.text) : RichText{request.text, {}};
  if (request.style.uppercase) content = capitalised(content, language);
  return request.credit ? content : kept_together(content, language);
}

// A way to set the text.
struct Setting {
  RichText content;
  std::vector<std::size_t> breaks;
  bool own_breaks = false;
};

// Places that Pango does not know become zero-width spaces.
Setting by_language(const RichText& content, const std::string& language, Breaking breaking) {
  const std::vector<std::size_t> breaks = line_breaks(content.text, language, breaking);
  const std::vector<std::size_t> unseen = unseen_breaks(content.text, breaks);
  std::vector<TextEdit> edits;
  for (const std::size_t at : unseen) edits.push_back({at, 0, kZeroWidthSpace});
  Setting setting{edited(content, edits), {}, true};
  std::size_t added = 0;
  auto next = unseen.begin();
  for (const std::size_t at : breaks) {
    if (next != unseen.end() && *next == at) {
      added += 3;
      ++next;
    }
    setting.breaks.push_back(at + added);
  }
  return setting;
}

RichText hyphenated(const RichText& content, const std::string& language) {
  std::vector<TextEdit> edits;
  for (const std::size_t at : hyphenation_points(content.text, language)) {
    edits.push_back({at, 0, kSoftHyphen});
  }
  return edited(content, edits);
}

class Choice {
 public:
  explicit Choice(const TextRequest& request)
      : request_(request),
        language_(shaping_language(request.language, request.text)),
        content_(prepared(request, language_)),
        by_language_(breaks_by_language(content_.text)),
        fitter_(request, language_) {}

  std::optional<FittedText> make() {
    // The empty text has a line without ink.
    const double size = best_plain();
    if (!try_hyphens(size) && size == 0 && !last_resort()) return std::nullopt;
    fitter_.refuse_missing_glyphs();
    if (request_.style.balance && whole_) {
      fitter_.save_line();
      fitter_.balance();
    }
    if (whole_ && !request_.credit && request_.breaks) fitter_.avoid_widow();
    return fitter_.finish();
  }

 private:
  double size_of(const Setting& setting) {
    fitter_.set_content(setting.content, setting.own_breaks ? &setting.breaks : nullptr);
    return fitter_.search() ? fitter_.size() : 0;
  }

  // Without hyphens; 0 when it does not fit. Phrases stay whole if that costs little size.
  double best_plain() {
    if (!by_language_) {
      plain_ = {content_, {}, false};
      return size_of(plain_);
    }
    constexpr double kCostOfPhrases = 0.85;
    plain_ = by_language(content_, language_, Breaking::Strict);
    const double all = size_of(plain_);
    const Setting phrases = by_language(content_, language_, Breaking::Phrases);
    if (phrases.breaks == plain_.breaks) return all;
    const double whole = size_of(phrases);
    return whole > 0 && whole >= all * kCostOfPhrases ? whole : size_of(plain_);
  }

  // True when hyphens were taken.
  bool try_hyphens(double plain_size) {
    const TextStyle& style = request_.style;
    const bool wanted =
        style.hyphens == Hyphens::Auto || (style.hyphens == Hyphens::Needed && plain_size == 0);
    if (!wanted || request_.credit || !request_.breaks || by_language_ ||
        request_.language.empty() || plain_size >= style.max_size) {
      return false;
    }
    const Setting parted{hyphenated(content_, request_.language), {}, false};
    if (parted.content.text == content_.text) return false;
    constexpr double kWorthHyphens = 1.12;
    if (const double size = size_of(parted); size > 0 && size >= plain_size * kWorthHyphens) {
      whole_ = false;  // a narrower layout would only part more words
      return true;
    }
    size_of(plain_);
    return false;
  }

  // Cut between words, else broken inside of them, else both.
  bool last_resort() {
    if (!request_.breaks) return false;
    const bool may_cut = request_.style.ellipsis && !request_.credit;
    whole_ = false;
    if (may_cut && fitter_.shorten()) return true;
    fitter_.break_anywhere();
    if (fitter_.search()) return true;
    return may_cut && fitter_.shorten();
  }

  const TextRequest& request_;
  std::string language_;
  RichText content_;
  bool by_language_;
  Fitter fitter_;
  Setting plain_;
  bool whole_ = true;  // neither cut nor parted inside of words
};

std::string key_of(const TextRequest& request) {
  const TextStyle& style = request.style;
  const Font& font = request.font;
  std::ostringstream key;
  key.precision(17);
  key << request.text << '\0' << request.language << '\0' << request.font_folder.string() << '\0'
      << font.family << '\0' << font.weight << font.italic << font.small_caps << ' ' << font.width;
  for (const auto& [axis, value] : font.axes) key << ' ' << axis << '=' << value;
  for (const std::string& feature : font.features) key << ' ' << feature;
  key << '\0' << request.width << ' ' << request.height << ' ' << request.credit << request.breaks
      << request.right_to_left.has_value() << request.right_to_left.value_or(false) << ' '
      << style.max_size << ' ' << style.min_size << ' ' << style.lines << ' ' << style.line_height
      << ' ' << style.letter_spacing << ' ' << style.uppercase << style.balance << style.ellipsis
      << style.rich << static_cast<int>(style.align) << static_cast<int>(style.hyphens);
  if (request.accent) key << to_hex(*request.accent);
  return std::move(key).str();
}

// The texts that were set last, those of this thread: Pango's layouts belong to one. A site's
// kicker, its by-line and the credit of a photograph come again and again.
class Kept {
 public:
  const FittedText* find(const std::string& key) {
    const auto found = places_.find(key);
    if (found == places_.end()) return nullptr;
    texts_.splice(texts_.begin(), texts_, found->second);
    return &found->second->second;
  }
  void add(const std::string& key, const FittedText& text) {
    constexpr std::size_t kMost = 64;
    texts_.emplace_front(key, text);
    places_[key] = texts_.begin();
    if (texts_.size() <= kMost) return;
    places_.erase(texts_.back().first);
    texts_.pop_back();
  }

 private:
  std::list<std::pair<std::string, FittedText>> texts_;
  std::unordered_map<std::string, decltype(texts_)::iterator> places_;
};

// Which parts begin a line: bit i stands for a line break before part i + 1.
using LineBreaks = unsigned;

std::string joined(const std::vector<Part>& parts, LineBreaks breaks) {
  std::string text;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const bool ends = i > 0 && (breaks >> (i - 1) & 1U) != 0;
    if (i > 0) text += ends ? parts[i].joint_at_end + "\n" : parts[i].joint;
    text += parts[i].text;
  }
  return text;
}

// Characters beyond the average, squared, over all lines.
double unevenness(const std::string& text) {
  std::vector<double> lengths;
  double sum = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    lengths.push_back(count_characters(line));
    sum += lengths.back();
  }
  double result = 0;
  for (const double length : lengths) {
    const double away = length - sum / static_cast<double>(lengths.size());
    result += away * away;
  }
  return result;
}

// The ways to part them into so many lines, those with the most even lines first.
std::vector<std::string> even_lines(const std::vector<Part>& parts, int lines) {
  std::vector<std::pair<double, std::string>> ways;
  for (LineBreaks breaks = 0; breaks < 1U << (parts.size() - 1); ++breaks) {
    if (std::popcount(breaks) != lines - 1) continue;
    std::string text = joined(parts, breaks);
    ways.emplace_back(unevenness(text), std::move(text));
  }
  std::stable_sort(ways.begin(), ways.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> texts;
  for (auto& way : ways) texts.push_back(std::move(way.second));
  return texts;
}

// Where directions meet, each part keeps to its own: a date does not jump into an Arabic name.
std::vector<Part> isolated(std::vector<Part> parts) {
  const bool meet = std::any_of(parts.begin(), parts.end(),
                                [](const Part& part) { return has_right_to_left(part.text); });
  if (parts.size() < 2 || !meet) return parts;
  for (Part& part : parts) part.text = "\u2068" + part.text + "\u2069";
  return parts;
}

}  // namespace

std::optional<FittedText> try_fit_text(const TextRequest& request) {
  thread_local Kept kept;
  if (request.text.size() > kMostBytes) {
    fail(Cause::BadInput, request.what, ": text of ", request.text.size(), " bytes, at most ",
         kMostBytes, "; shorten it");
  }
  const std::string key = key_of(request);
  if (const FittedText* known = kept.find(key)) return *known;
  std::optional<FittedText> made = Choice(request).make();
  if (made) kept.add(key, *made);
  return made;
}

FittedText fit_text(const TextRequest& request) {
  std::optional<FittedText> fitted = try_fit_text(request);
  if (!fitted) does_not_fit(request);
  return std::move(*fitted);
}

FittedText fit_parts(const TextRequest& request, const std::vector<Part>& given) {
  const std::vector<Part> parts = isolated(given);
  constexpr std::size_t kMostParts = 12;  // more are broken anywhere
  TextRequest whole = request;
  whole.text = joined(parts, 0);
  if (parts.size() < 2 || parts.size() > kMostParts || request.style.lines < 2) {
    return fit_text(whole);
  }
  TextRequest attempt = whole;
  attempt.breaks = false;
  const int most = std::min(request.style.lines, static_cast<int>(parts.size()));
  for (int lines = 1; lines <= most; ++lines) {
    attempt.style.lines = lines;
    for (std::string& text : even_lines(parts, lines)) {
      attempt.text = std::move(text);
      if (std::optional<FittedText> fitted = try_fit_text(attempt)) return std::move(*fitted);
    }
  }
  // A part that is longer than the line runs on to the next one; no line ends with a joint.
  attempt.style.lines = request.style.lines;
  for (int lines = 2; lines <= most; ++lines) {
    for (std::string& text : even_lines(parts, lines)) {
      attempt.text = std::move(text);
      if (std::optional<FittedText> fitted = try_fit_text(attempt)) return std::move(*fitted);
    }
  }
  return fit_text(whole);
}

FittedText fit_parts(const TextRequest& request, const std::vector<std::string>& texts,
                     const std::string& joint) {
  std::vector<Part> parts;
  for (const std::string& text : texts) parts.push_back({text, joint, ""});
  return fit_parts(request, parts);
}

}  // namespace affiche::cards
