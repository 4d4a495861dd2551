// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include "catch.h"
#include "throws.h"

using namespace affiche;
using test::contains;
using test::thrown;

TEST_CASE("a key that occurs twice is refused", "[json]") {
  REQUIRE(contains(thrown([] { parse_json(R"({"a": 1, "b": {"a": 2}, "a": 3})", "job 7"); }),
                   "bad_input: job 7: the key \"a\" occurs twice"));
  REQUIRE(parse_json(R"([{"a": 1}, {"a": 2}])", "same key in two objects").size() == 2);
}

TEST_CASE("nesting is limited before the stack is", "[json]") {
  const std::string deep = std::string(100'000, '[') + std::string(100'000, ']');
  REQUIRE(contains(thrown([&] { parse_json(deep, "deep"); }), "nesting of at most 64"));
}

TEST_CASE("malformed JSON names its source", "[json]") {
  for (const char* text : {"", "{", "[1,]", "{'a': 1}", "NaN", "\"\xff\"", "1 2"}) {
    CAPTURE(text);
    REQUIRE(contains(thrown([&] { parse_json(text, "line 3"); }), "bad_input: line 3: "));
  }
}

TEST_CASE("Python's infinities are read only where they are allowed", "[json]") {
  const Json json = parse_json(R"({"a": Infinity, "b": [-Infinity, NaN], "c": "NaN \" Infinity"})",
                               "python", true);
  REQUIRE(json["a"] == "Infinity");
  REQUIRE(json["b"][0] == "-Infinity");
  REQUIRE(json["c"] == "NaN \" Infinity");
}
