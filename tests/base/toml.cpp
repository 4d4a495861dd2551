// SPDX-License-Identifier: Apache-2.0
#include "base/toml.h"

#include "catch.h"
#include "throws.h"

using namespace affiche;
using test::contains;
using test::thrown;

namespace {

void read_size(const std::string& text) {
  const toml::table table = parse_toml(text, "card.toml");
  TomlReader reader(table, "card.toml");
  const toml::table* size = reader.table("size");
  if (size != nullptr) {
    TomlReader inner = reader.child("size", *size);
    inner.integer("width");
    inner.integer("height", 630);
    inner.finish();
  }
  reader.finish();
}

}  // namespace

TEST_CASE("an unknown key is an error with file, line, column and the nearest key", "[toml]") {
  REQUIRE(thrown([] { read_size("[size]\nwidth = 1200\n  heigth = 630\n"); }) ==
          "bad_input: card.toml:3:12: size.heigth: unknown key (did you mean 'height'?)");
  REQUIRE(contains(thrown([] { read_size("[sise]\nwidth = 1\n"); }), "did you mean 'size'"));
}

TEST_CASE("a missing key and a wrong type say what was expected", "[toml]") {
  REQUIRE(contains(thrown([] { read_size("[size]\nheight = 3\n"); }),
                   "size.width: expected an integer, found nothing"));
  REQUIRE(contains(thrown([] { read_size("[size]\nwidth = \"x\"\n"); }),
                   "card.toml:2:9: size.width: expected an integer, found string"));
  REQUIRE(contains(thrown([] { read_size("size = 3\n"); }), "expected a table, found integer"));
}

TEST_CASE("malformed TOML names the place", "[toml]") {
  REQUIRE(contains(thrown([] { parse_toml("a = 1\nb = \n", "x.toml"); }), "bad_input: x.toml:2:"));
}
