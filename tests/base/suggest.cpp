// SPDX-License-Identifier: Apache-2.0
#include "base/suggest.h"

#include <vector>

#include "catch.h"

using namespace affiche;

TEST_CASE("the nearest known word is suggested, or all are listed", "[suggest]") {
  const std::vector<std::string> known = {"width", "height", "workers"};
  REQUIRE(suggestion("widht", known) == " (did you mean 'width'?)");
  REQUIRE(suggestion("worker", known) == " (did you mean 'workers'?)");
  REQUIRE(suggestion("photograph", known) == " (known: width, height, workers)");
}
