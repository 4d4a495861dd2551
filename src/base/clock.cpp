// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include <time.h>

#include <chrono>
#include <cstdio>

#include "base/error.h"

namespace affiche {

Millis SystemClock::now() const {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::string iso8601(Millis instant) {
  const time_t seconds = static_cast<time_t>(instant / 1000 - (instant % 1000 < 0 ? 1 : 0));
  tm parts{};
  gmtime_r(&seconds, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

Millis parse_iso8601(const std::string& text) {
  tm parts{};
  int read = 0;
  const bool date =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &read) == 6;
  const std::string zone = date ? text.substr(static_cast<std::size_t>(read)) : "";
  int hours = 0;
  int minutes = 0;
  char sign = '+';
  const bool offset = zone.size() == 6 &&
                      std::sscanf(zone.c_str(), "%c%2d:%2d", &sign, &hours, &minutes) == 3 &&
                      (sign == '+' || sign == '-');
  const bool in_range = parts.tm_mon >= 1 && parts.tm_mon <= 12 && parts.tm_mday >= 1 &&
                        parts.tm_mday <= 31 && parts.tm_hour <= 23 && parts.tm_min <= 59 &&
                        parts.tm_sec <= 60;
  if (!date || !in_range || (zone != "Z" && !offset)) {
    fail(Cause::BadInput, "time \"", text,
         "\": expected ISO 8601 such as 2026-11-21T14:20:53Z or …+01:00");
  }
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const Millis shift = (hours * 3600 + minutes * 60) * (sign == '-' ? -1 : 1);
  return (static_cast<Millis>(timegm(&parts)) - shift) * 1000;
}

}  // namespace affiche
