// SPDX-License-Identifier: Apache-2.0
#include "cards/language.h"

#include <glib.h>
#include <unicode/locid.h>
#include <unicode/uloc.h>
#include <unicode/unistr.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "base/error.h"

namespace affiche::cards {
namespace {

constexpr const char* kNoBreakSpace = "\u00a0";
constexpr const char* kNarrowNoBreakSpace = "\u202f";

std::optional<std::string> locale_of(const std::string& tag) {
  std::array<char, ULOC_FULLNAME_CAPACITY> name{};
  int32_t read = 0;
  UErrorCode status = U_ZERO_ERROR;
  uloc_forLanguageTag(tag.c_str(), name.data(), static_cast<int32_t>(name.size()), &read, &status);
  if (U_FAILURE(status) != 0 || status == U_STRING_NOT_TERMINATED_WARNING ||
      read != static_cast<int32_t>(tag.size()) || name[0] == '\0') {
    return std::nullopt;
  }
  return std::string(name.data());
}

// The scripts that decide, in the order of a text that mixes them: kana are Japanese whatever Han
// stands beside them.
struct ScriptLanguage {
  UScriptCode script;
  const char* language;
};
constexpr std::array<ScriptLanguage, 24> kScripts = {
    {{USCRIPT_HIRAGANA, "ja"}, {USCRIPT_KATAKANA, "ja"},    {USCRIPT_HANGUL, "ko"},
     {USCRIPT_HAN, "zh"},      {USCRIPT_BOPOMOFO, "zh-TW"}, {USCRIPT_ARABIC, "ar"},
     {USCRIPT_HEBREW, "he"},   {USCRIPT_DEVANAGARI, "hi"},  {USCRIPT_BENGALI, "bn"},
     {USCRIPT_GURMUKHI, "pa"}, {USCRIPT_GUJARATI, "gu"},    {USCRIPT_TAMIL, "ta"},
     {USCRIPT_TELUGU, "te"},   {USCRIPT_KANNADA, "kn"},     {USCRIPT_MALAYALAM, "ml"},
     {USCRIPT_SINHALA, "si"},  {USCRIPT_THAI, "th"},        {USCRIPT_LAO, "lo"},
     {USCRIPT_KHMER, "km"},    {USCRIPT_MYANMAR, "my"},     {USCRIPT_ETHIOPIC, "am"},
     {USCRIPT_ARMENIAN, "hy"}, {USCRIPT_GEORGIAN, "ka"},    {USCRIPT_GREEK, "el"}}};

UScriptCode script_of(gunichar c) {
  UErrorCode status = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(static_cast<UChar32>(c), &status);
  return U_FAILURE(status) != 0 ? USCRIPT_COMMON : script;
}

// Whether the language is written in this script, as far as it is known ("ja" is, in Han).
bool writes(const std::string& tag, UScriptCode script) {
  std::array<UScriptCode, 8> codes{};
  UErrorCode status = U_ZERO_ERROR;
  const int32_t count = uscript_getCode(tag.c_str(), codes.data(), codes.size(), &status);
  if (U_FAILURE(status) != 0) return false;
  const std::span<const UScriptCode> known(
      codes.data(), static_cast<std::size_t>(std::clamp<int32_t>(count, 0, codes.size())));
  return std::any_of(known.begin(), known.end(), [&](UScriptCode own) {
    if (own == script) return true;
    if (own == USCRIPT_JAPANESE || own == USCRIPT_KOREAN) return script == USCRIPT_HAN;
    return (own == USCRIPT_SIMPLIFIED_HAN || own == USCRIPT_TRADITIONAL_HAN) &&
           (script == USCRIPT_HAN || script == USCRIPT_BOPOMOFO);
  });
}

bool is_letter(gunichar c) {
  return g_unichar_isalpha(c) != 0;
}

// Languages whose typography forbids a one-letter preposition at the end of a line.
bool keeps_prepositions(const std::string& language) {
  constexpr std::array<std::string_view, 9> languages = {"be", "cs", "hr", "pl", "ru",
                                                         "sk", "sl", "sr", "uk"};
  return std::find(languages.begin(), languages.end(), language) != languages.end();
}

// One space of a text and its surroundings.
struct Gap {
  gunichar before_word = 0;  // the character before the word that ends at the space
  gunichar before = 0;       // the last character of that word
  int word_length = 0;
  gunichar after = 0;
  int next_length = 0;  // of the word behind
};

const char* space_for(const Gap& gap, const std::string& language) {
  if (language == "fr") {
    if (gap.after == 0xBB || gap.after == ':') return kNoBreakSpace;
    if (gap.before == 0xAB) return kNoBreakSpace;
    if (gap.after == ';' || gap.after == '!' || gap.after == '?') return kNarrowNoBreakSpace;
  }
  if (keeps_prepositions(language) && gap.word_length == 1 && is_letter(gap.before)) {
    return kNoBreakSpace;
  }
  // A dash belongs to what it follows.
  if (gap.next_length == 1 && (gap.after == 0x2013 || gap.after == 0x2014)) return kNoBreakSpace;
  // "40 %", "2 °C", "5 €".
  if (g_unichar_isdigit(gap.before) != 0 && gap.next_length <= 2 &&
      (gap.after == '%' || gap.after == 0xB0 || gap.after == 0x20AC)) {
    return kNoBreakSpace;
  }
  return " ";
}

int length_of_word(const gchar* at) {
  int length = 0;
  for (; *at != '\0' && *at != ' ' && length < 8; at = g_utf8_next_char(at)) ++length;
  return length;
}

}  // namespace

std::string checked_language(const std::string& tag, const std::string& what) {
  if (tag.empty()) return tag;
  const std::optional<std::string> locale = tag.size() <= 40 ? locale_of(tag) : std::nullopt;
  std::array<char, ULOC_FULLNAME_CAPACITY> result{};
  UErrorCode status = U_ZERO_ERROR;
  if (locale) {
    uloc_toLanguageTag(locale->c_str(), result.data(), static_cast<int32_t>(result.size()), 1,
                       &status);
  }
  if (!locale || U_FAILURE(status) != 0) {
    fail(Cause::BadInput, what, ": expected a language tag such as de or pt-BR, found \"", tag,
         "\"");
  }
  return result.data();
}

std::string primary_language(const std::string& tag) {
  std::string language = tag.substr(0, tag.find_first_of("-_"));
  std::transform(language.begin(), language.end(), language.begin(),
                 [](char c) { return g_ascii_tolower(c); });
  return language;
}

bool is_right_to_left(const std::string& tag) {
  const std::optional<std::string> locale = tag.empty() ? std::nullopt : locale_of(tag);
  return locale && uloc_isRightToLeft(locale->c_str()) != 0;
}

bool has_right_to_left(const std::string& text) {
  for (const gchar* at = text.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    if (static_cast<unsigned char>(*at) < 0xD6) continue;  // nothing below U+0580
    if (uscript_isRightToLeft(script_of(g_utf8_get_char(at))) != 0) return true;
  }
  return false;
}

std::string shaping_language(const std::string& tag, const std::string& text) {
  std::size_t best = kScripts.size();
  std::array<int, kScripts.size()> counts{};
  int others = 0;
  for (const gchar* at = text.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    if (static_cast<unsigned char>(*at) < 0x80) {
      if (g_ascii_isalpha(*at)) ++others;
      continue;
    }
    const UScriptCode script = script_of(g_utf8_get_char(at));
    const auto* const found =
        std::find_if(kScripts.begin(), kScripts.end(),
                     [&](const ScriptLanguage& known) { return known.script == script; });
    if (found == kScripts.end()) {
      if (is_letter(g_utf8_get_char(at))) ++others;
    } else {
      ++counts[static_cast<std::size_t>(found - kScripts.begin())];
    }
  }
  // A few characters of another script do not make the text one of that language.
  constexpr int kShare = 4;
  for (std::size_t i = 0; i < kScripts.size() && best == kScripts.size(); ++i) {
    if (counts[i] * kShare > others && counts[i] > 0) best = i;
  }
  if (best == kScripts.size()) return tag.empty() ? "en" : tag;
  if (!tag.empty() && writes(tag, kScripts[best].script)) return tag;
  return kScripts[best].language;
}

std::string with_kept_words(const std::string& text, const std::string& tag) {
  const std::string language = primary_language(tag);
  std::string result;
  Gap gap;
  gunichar last = 0;
  int word = 0;
  for (const gchar* at = text.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar c = g_utf8_get_char(at);
    if (c == ' ') {
      gap.before = last;
      gap.word_length = word;
      gap.after = g_utf8_get_char(at + 1);
      gap.next_length = length_of_word(at + 1);
      result += last == 0 || gap.after == 0 ? " " : space_for(gap, language);
      word = 0;
    } else {
      result.append(at, static_cast<std::size_t>(g_utf8_next_char(at) - at));
      ++word;
    }
    last = c;
  }
  return result;
}

std::string in_capitals(const std::string& text, const std::string& tag) {
  const std::optional<std::string> locale = tag.empty() ? std::nullopt : locale_of(tag);
  icu::UnicodeString unicode = icu::UnicodeString::fromUTF8(text);
  unicode.toUpper(icu::Locale(locale ? locale->c_str() : "en"));
  std::string result;
  unicode.toUTF8String(result);
  return result;
}

}  // namespace affiche::cards
