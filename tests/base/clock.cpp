// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"

#include "catch.h"
#include "throws.h"

using namespace affiche;
using test::contains;
using test::thrown;

TEST_CASE("instants are written and read as ISO 8601 in UTC", "[clock]") {
  REQUIRE(iso8601(0) == "1970-01-01T00:00:00Z");
  REQUIRE(iso8601(1'795'271'653'999) == "2026-11-21T14:34:13Z");
  REQUIRE(iso8601(-1) == "1969-12-31T23:59:59Z");
  REQUIRE(parse_iso8601("2026-11-21T14:34:13Z") == 1'795'271'653'000);
  REQUIRE(parse_iso8601("2024-02-29T00:00:00Z") == 1'709'164'800'000);
}

TEST_CASE("an offset is taken off", "[clock]") {
  REQUIRE(parse_iso8601("2026-11-21T15:34:13+01:00") == parse_iso8601("2026-11-21T14:34:13Z"));
  REQUIRE(parse_iso8601("2026-11-21T09:04:13-05:30") == parse_iso8601("2026-11-21T14:34:13Z"));
}

TEST_CASE("other forms of time are refused with an example", "[clock]") {
  for (const char* text :
       {"", "tomorrow", "2026-11-21", "2026-11-21T14:34:13", "2026-13-01T00:00:00Z",
        "2026-00-10T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
        "2026-01-01T00:60:00Z", "2026-01-01T00:00:00Zjunk", "2026-01-01T00:00:00+1:00"}) {
    CAPTURE(text);
    REQUIRE(contains(thrown([&] { parse_iso8601(text); }), "bad_input: time"));
  }
}
