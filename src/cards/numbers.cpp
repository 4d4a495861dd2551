// SPDX-License-Identifier: Apache-2.0
#include "cards/numbers.h"

#include <glib.h>
#include <unicode/numberformatter.h>

#include <algorithm>
#include <cstdlib>

namespace affiche::cards {

std::string number_with_unit(const std::string& number, const std::string& unit,
                             const std::string& tag) {
  constexpr const char* kNoBreakSpace = "\u00a0";
  std::string text = number;
  char* end = nullptr;
  const double value = std::strtod(number.c_str(), &end);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Locale locale = icu::Locale::forLanguageTag(tag, status);
  if (!tag.empty() && U_SUCCESS(status) != 0 && end != number.c_str() && *end == '\0') {
    const std::size_t point = number.find('.');
    const int decimals =
        point == std::string::npos ? 0 : static_cast<int>(number.size() - point - 1);
    auto format = icu::number::NumberFormatter::withLocale(locale).precision(
        icu::number::Precision::fixedFraction(std::min(decimals, 9)));
    if (unit == "%") format = format.unit(icu::MeasureUnit::getPercent());
    const icu::UnicodeString made = format.formatDouble(value, status).toString(status);
    if (U_SUCCESS(status) != 0) {
      text.clear();
      made.toUTF8String(text);
      if (unit == "%") return text;
    }
  }
  if (unit.empty()) return text;
  const gunichar first = g_utf8_get_char(unit.c_str());
  const bool apart =
      g_unichar_isalpha(first) != 0 || (g_unichar_type(first) == G_UNICODE_CURRENCY_SYMBOL);
  return text + (apart ? kNoBreakSpace : "") + unit;
}

}  // namespace affiche::cards
