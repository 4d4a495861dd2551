// SPDX-License-Identifier: Apache-2.0
// Languages of texts: their tags, their direction, and which one a text without a tag seems to be.
#pragma once

#include <chrono>
#include <string>

namespace affiche::cards {

// The tag in its usual form ("pt-BR"). BadInput, naming `what`, when it is no BCP 47 tag. Empty
// stays empty.
std::string checked_language(const std::string& tag, const std::string& what);

// "zh" of "zh-Hant-TW".
std::string primary_language(const std::string& tag);

bool is_right_to_left(const std::string& tag);

// Whether any character is written from right to left.
bool has_right_to_left(const std::string& text);

// The language in which the text is to be shaped and broken: `tag` if the text is in a script of
// it; else what its script says ("ja" for kana, "th" for Thai, "zh" for Han alone); else "en".
std::string shaping_language(const std::string& tag, const std::string& text);

// The text with no-break spaces where its language does not part a line:
//   French: inside quotation marks and before ; : ! ?
//   Slavic languages: behind a one-letter preposition;
//   any language: between a number and % ° €, and before a dash.
std::string with_kept_words(const std::string& text, const std::string& tag);

// "21 November 2026" as the language writes it, in the calendar and digits of its readers; without
// a language and in plain English as here.
std::string long_date(const std::chrono::year_month_day& date, const std::string& tag);

// Capitals by the rules of the language (Turkish, Greek, Dutch; ß becomes SS).
std::string in_capitals(const std::string& text, const std::string& tag);

}  // namespace affiche::cards
