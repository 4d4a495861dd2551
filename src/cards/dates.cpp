// SPDX-License-Identifier: Apache-2.0
#include <unicode/datefmt.h>
#include <unicode/gregocal.h>

#include <map>
#include <memory>

#include "base/error.h"
#include "cards/language.h"

namespace affiche::cards {
namespace {

// Kept by this thread: making one takes a hundred times as long as using it.
const icu::DateFormat& format_for(const std::string& tag) {
  thread_local std::map<std::string, std::unique_ptr<icu::DateFormat>> formats;
  std::unique_ptr<icu::DateFormat>& format = formats[tag];
  if (format == nullptr) {
    UErrorCode status = U_ZERO_ERROR;
    const icu::Locale locale = icu::Locale::forLanguageTag(tag, status);
    format.reset(icu::DateFormat::createDateInstance(
        icu::DateFormat::kLong, U_SUCCESS(status) != 0 ? locale : icu::Locale("en", "GB")));
    if (format == nullptr) fail(Cause::Internal, "dates: ICU has no data");
    format->setTimeZone(*icu::TimeZone::getGMT());
  }
  return *format;
}

}  // namespace

std::string long_date(const std::chrono::year_month_day& date, const std::string& tag) {
  const auto days = std::chrono::sys_days(date).time_since_epoch();
  const auto noon =
      std::chrono::duration_cast<std::chrono::milliseconds>(days).count() + 43'200'000;
  icu::UnicodeString text;
  format_for(tag.empty() || tag == "en" ? "en-GB" : tag).format(static_cast<UDate>(noon), text);
  std::string result;
  text.toUTF8String(result);
  return result;
}

}  // namespace affiche::cards
