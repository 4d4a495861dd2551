// SPDX-License-Identifier: Apache-2.0
#include "cards/breaks.h"

#include <glib.h>
#include <hyphen.h>
#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/utext.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>

#include "base/error.h"
#include "cards/language.h"

namespace affiche::cards {
namespace {

using Iterator = std::unique_ptr<icu::BreakIterator>;

int line_break_class(gunichar c) {
  return u_getIntPropertyValue(static_cast<UChar32>(c), UCHAR_LINE_BREAK);
}

bool is_hangul(gunichar c) {
  return g_unichar_get_script(c) == G_UNICODE_SCRIPT_HANGUL;
}

// Opening an iterator reads dictionaries: one a thread and locale is kept, then it is only given
// another text.
icu::BreakIterator& iterator_for(const std::string& locale, bool words) {
  thread_local std::map<std::string, Iterator> iterators;
  if (iterators.size() > 64) iterators.clear();
  Iterator& iterator = iterators[(words ? "w" : "l") + locale];
  if (iterator == nullptr) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Locale place(locale.c_str());
    iterator.reset(words ? icu::BreakIterator::createWordInstance(place, status)
                         : icu::BreakIterator::createLineInstance(place, status));
    if (U_FAILURE(status) != 0 || iterator == nullptr) {
      fail(Cause::Internal, "line breaks: ICU has no rules for ", locale, ": ",
           u_errorName(status));
    }
  }
  return *iterator;
}

std::vector<std::size_t> positions(const std::string& text, const std::string& locale, bool words) {
  icu::BreakIterator& iterator = iterator_for(locale, words);
  UErrorCode status = U_ZERO_ERROR;
  const std::unique_ptr<UText, decltype(&utext_close)> view(
      utext_openUTF8(nullptr, text.data(), static_cast<int64_t>(text.size()), &status),
      &utext_close);
  iterator.setText(view.get(), status);
  if (U_FAILURE(status) != 0) {
    fail(Cause::Internal, "line breaks: ICU refuses the text: ", u_errorName(status));
  }
  std::vector<std::size_t> result;
  for (int32_t at = iterator.next(); at != icu::BreakIterator::DONE; at = iterator.next()) {
    if (at > 0 && static_cast<std::size_t>(at) < text.size()) {
      result.push_back(static_cast<std::size_t>(at));
    }
  }
  return result;
}

gunichar character_before(const std::string& text, std::size_t at) {
  return g_utf8_get_char(g_utf8_prev_char(text.c_str() + at));
}

std::string line_locale(const std::string& language, Breaking breaking) {
  const std::string primary = primary_language(language);
  std::string locale = primary + "@lb=strict";
  if (primary == "ja" && breaking == Breaking::Phrases) locale += ";lw=phrase";
  return locale;
}

// Debian's packages name the files by language and country.
std::string dictionary_file(const std::string& language) {
  const std::string primary = primary_language(language);
  std::vector<std::string> names;
  const std::size_t dash = language.find('-');
  if (dash != std::string::npos && language.size() == dash + 3) {
    names.push_back(primary + "_" + language.substr(dash + 1));
  }
  names.push_back(primary);
  static const std::map<std::string, std::string> kUsual = {
      {"cs", "cs_CZ"}, {"da", "da_DK"}, {"el", "el_GR"}, {"en", "en_US"}, {"es", "es_ES"},
      {"nb", "nb_NO"}, {"nn", "nn_NO"}, {"no", "nb_NO"}, {"pl", "pl_PL"}, {"pt", "pt_BR"},
      {"ru", "ru_RU"}, {"sv", "sv_SE"}, {"uk", "uk_UA"}};
  if (const auto usual = kUsual.find(primary); usual != kUsual.end()) {
    names.push_back(usual->second);
  }
  names.push_back(primary + "_" + [&] {
    std::string country = primary;
    std::transform(country.begin(), country.end(), country.begin(),
                   [](char c) { return g_ascii_toupper(c); });
    return country;
  }());
  for (const std::string& name : names) {
    const std::string file = "/usr/share/hyphen/hyph_" + name + ".dic";
    if (std::filesystem::exists(file)) return file;
  }
  return "";
}

// The dictionaries are read once and never change; libhyphen only reads them afterwards.
HyphenDict* dictionary(const std::string& language) {
  static std::mutex mutex;
  static std::map<std::string, std::unique_ptr<HyphenDict, decltype(&hnj_hyphen_free)>> all;
  const std::string file = dictionary_file(language);
  if (file.empty()) return nullptr;
  const std::lock_guard lock(mutex);
  auto found = all.find(file);
  if (found == all.end()) {
    found = all.emplace(file, std::unique_ptr<HyphenDict, decltype(&hnj_hyphen_free)>(
                                  hnj_hyphen_load(file.c_str()), &hnj_hyphen_free))
                .first;
  }
  return found->second.get();
}

// The word in the dictionary's own encoding; empty when it has no such characters.
std::string encoded(const HyphenDict* dictionary, const std::string& word) {
  if (dictionary->utf8 != 0) return word;
  gsize written = 0;
  const std::unique_ptr<gchar, decltype(&g_free)> bytes(
      g_convert(word.data(), static_cast<gssize>(word.size()), dictionary->cset, "UTF-8", nullptr,
                &written, nullptr),
      &g_free);
  return bytes == nullptr ? std::string() : std::string(bytes.get(), written);
}

// The characters (counted from the word's start) before which a plain hyphen may stand.
std::vector<std::size_t> points_of(HyphenDict* dictionary, const std::string& lower) {
  const std::string word = encoded(dictionary, lower);
  if (word.empty()) return {};
  std::vector<char> marks(word.size() + 6, 0);
  char** replacements = nullptr;
  int* places = nullptr;
  int* cuts = nullptr;
  std::vector<std::size_t> points;
  const int failed = hnj_hyphen_hyphenate2(dictionary, word.c_str(), static_cast<int>(word.size()),
                                           marks.data(), nullptr, &replacements, &places, &cuts);
  const auto letters = static_cast<std::size_t>(g_utf8_strlen(lower.c_str(), -1));
  // Two letters stay before a hyphen and three come after it.
  for (std::size_t i = 1; failed == 0 && i + 4 <= letters; ++i) {
    const bool respelled = replacements != nullptr && replacements[i] != nullptr;
    if ((marks[i] & 1) != 0 && !respelled) points.push_back(i + 1);
  }
  if (replacements != nullptr) {
    for (std::size_t i = 0; i < word.size(); ++i) std::free(replacements[i]);
  }
  std::free(replacements);
  std::free(places);
  std::free(cuts);
  return points;
}

// A word that may be parted: letters, six or more, not all capitals.
bool may_be_parted(const std::string& word) {
  int letters = 0;
  int capitals = 0;
  for (const gchar* at = word.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    ++letters;
    if (g_unichar_isupper(c) != 0) ++capitals;
  }
  return letters >= 6 && letters <= 80 && capitals <= 1;
}

void add_points(HyphenDict* dictionary, const std::string& text, std::size_t from, std::size_t to,
                std::vector<std::size_t>& result) {
  const std::string word = text.substr(from, to - from);
  if (!may_be_parted(word)) return;
  const std::unique_ptr<gchar, decltype(&g_free)> lower(
      g_utf8_strdown(word.data(), static_cast<gssize>(word.size())), &g_free);
  // Only where each letter stays one letter do positions agree.
  if (g_utf8_strlen(lower.get(), -1) != g_utf8_strlen(word.c_str(), -1)) return;
  for (const std::size_t point : points_of(dictionary, lower.get())) {
    const gchar* at = g_utf8_offset_to_pointer(word.c_str(), static_cast<glong>(point));
    result.push_back(from + static_cast<std::size_t>(at - word.c_str()));
  }
}

// What makes addresses, handles and part numbers of words: these are left whole.
bool joins_words(gunichar c) {
  return c == '@' || c == '/' || c == '_' || c == '#' || c == '\'' || c == 0x2019 || c == 0xAD ||
         g_unichar_isdigit(c) != 0;
}

}  // namespace

bool breaks_by_language(const std::string& text) {
  for (const gchar* at = text.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    if (static_cast<unsigned char>(*at) < 0xE0) continue;  // nothing below U+0800
    switch (line_break_class(g_utf8_get_char(at))) {
      case U_LB_COMPLEX_CONTEXT:
      case U_LB_IDEOGRAPHIC:
      case U_LB_CONDITIONAL_JAPANESE_STARTER:
      case U_LB_NONSTARTER:
      case U_LB_H2:
      case U_LB_H3:
      case U_LB_JL:
        return true;
      default:
        break;
    }
  }
  return false;
}

std::vector<std::size_t> line_breaks(const std::string& text, const std::string& language,
                                     Breaking breaking) {
  std::vector<std::size_t> breaks = positions(text, line_locale(language, breaking), false);
  if (breaking == Breaking::Strict) return breaks;
  if (primary_language(language) == "zh") {
    const std::vector<std::size_t> words = positions(text, "zh", true);
    std::erase_if(breaks, [&](std::size_t at) {
      return !std::binary_search(words.begin(), words.end(), at) ||
             g_unichar_isdigit(character_before(text, at)) != 0;
    });
  }
  if (primary_language(language) == "ja") {
    // A particle stays with the quotation before it.
    std::erase_if(breaks, [&](std::size_t at) {
      return line_break_class(character_before(text, at)) == U_LB_CLOSE_PUNCTUATION &&
             g_unichar_get_script(g_utf8_get_char(text.c_str() + at)) ==
                 G_UNICODE_SCRIPT_HIRAGANA &&
             character_before(text, at) != 0x3001 && character_before(text, at) != 0x3002;
    });
  }
  std::erase_if(breaks, [&](std::size_t at) {
    return is_hangul(character_before(text, at)) && is_hangul(g_utf8_get_char(text.c_str() + at));
  });
  return breaks;
}

std::vector<std::size_t> unseen_breaks(const std::string& text,
                                       const std::vector<std::size_t>& breaks) {
  std::vector<std::size_t> unseen;
  for (const std::size_t at : breaks) {
    if (line_break_class(character_before(text, at)) == U_LB_COMPLEX_CONTEXT &&
        line_break_class(g_utf8_get_char(text.c_str() + at)) == U_LB_COMPLEX_CONTEXT) {
      unseen.push_back(at);
    }
  }
  return unseen;
}

std::vector<std::size_t> hyphenation_points(const std::string& text, const std::string& language) {
  std::vector<std::size_t> points;
  HyphenDict* patterns = dictionary(language);
  if (patterns == nullptr) return points;
  const auto offset = [&](const gchar* at) { return static_cast<std::size_t>(at - text.c_str()); };
  const gchar* start = nullptr;
  gunichar before = 0;
  gunichar last = 0;
  for (const gchar* at = text.c_str();; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    const bool letter = g_unichar_isalpha(c) != 0 || g_unichar_ismark(c) != 0;
    if (letter && start == nullptr) {
      start = at;
      before = last;
    } else if (!letter && start != nullptr) {
      const gunichar next = c == 0 ? 0 : g_utf8_get_char(g_utf8_next_char(at));
      // A full stop or a colon at the end of a word, not in an address.
      const bool ends = (c != '.' && c != ':') || next == 0 || g_unichar_isspace(next) != 0;
      if (!joins_words(before) && before != '.' && before != ':' && !joins_words(c) && ends) {
        add_points(patterns, text, offset(start), offset(at), points);
      }
      start = nullptr;
    }
    if (c == 0) return points;
    last = c;
  }
}

}  // namespace affiche::cards
