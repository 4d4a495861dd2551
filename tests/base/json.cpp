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

TEST_CASE("values keep their types, their order and their depth", "[json]") {
  const std::string text =
      R"({"z":[1,-2,2.5,1e3,18446744073709551615,"\u00e9",true,null,[],{}],"a":{"z":{}},"":0})";
  REQUIRE(parse_json(text, "all kinds").dump() ==
          R"({"z":[1,-2,2.5,1000.0,18446744073709551615,"é",true,null,[],{}],"a":{"z":{}},"":0})");
  REQUIRE(parse_json("3", "a number alone") == 3);
  const auto nested = [](std::size_t n) { return std::string(n, '[') + std::string(n, ']'); };
  REQUIRE_NOTHROW(parse_json(nested(64), "deep"));
  REQUIRE_THROWS(parse_json(nested(65), "deep"));
}

// With a search through all earlier keys for each new one this would take minutes.
TEST_CASE("objects of very many keys are read as quickly as others of their length", "[json]") {
  std::string text = "{";
  for (int i = 0; i < 400'000; ++i) text += "\"key" + std::to_string(i) + "\":1,";
  text += "\"last\":2}";
  const Json json = parse_json(text, "large");
  REQUIRE(json.size() == 400'001);
  REQUIRE(json.begin().key() == "key0");
  REQUIRE(json.back() == 2);
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
