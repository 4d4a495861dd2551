// SPDX-License-Identifier: Apache-2.0
#include "base/toml_json.h"

#include "base/json.h"
#include "catch.h"
#include "throws.h"

using namespace affiche;
using affiche::test::contains;
using affiche::test::thrown;

namespace {

Json read(const std::string& text) {
  return toml_to_json(parse_toml(text, "a.toml"), "a.toml");
}

}  // namespace

TEST_CASE("TOML becomes JSON in the order of the file") {
  const Json json = read(
      "z = 1\na = [1.5, \"x\", true]\ninline = { b = 2 }\n[table]\ninf = inf\nn = -inf\n"
      "[[list]]\nfile = \"f\"\n[[list]]\nfile = \"g\"\n");
  CHECK(json.dump() ==
        "{\"z\":1,\"a\":[1.5,\"x\",true],\"inline\":{\"b\":2},"
        "\"table\":{\"inf\":\"Infinity\",\"n\":\"-Infinity\"},"
        "\"list\":[{\"file\":\"f\"},{\"file\":\"g\"}]}");
}

TEST_CASE("JSON that is written as TOML is read back the same") {
  const Json json = {{"table", {{"deep", {{"er", Json::array({1, Json::object()})}}}, {"x", 0.1}}},
                     {"text", "größe \"quoted\" \\ \n\t\x7f \x01"},
                     {"odd key", 1},
                     {"", "empty"},
                     {"whole", 3.0},
                     {"big", 9223372036854775807},
                     {"small", 1e-300},
                     {"list", Json::array({Json::array({1, 2}), Json::array()})},
                     {"lora", Json::array({{{"file", "a"}, {"weight", 1.0}}, {{"file", "b"}}})}};
  const Json back = read(json_to_toml(json));
  for (const auto& [key, value] : json.items()) {
    INFO(key);
    CHECK(back.at(key) == value);
    CHECK(back.at(key).is_number_float() == value.is_number_float());
  }
  CHECK(back.size() == json.size());
}

TEST_CASE("what the notations do not share is left out or refused") {
  CHECK(json_to_toml({{"a", nullptr}, {"b", 1}}) == "b = 1\n");
  CHECK(contains(thrown([] { json_to_toml({{"a", Json::array({nullptr})}}); }), "null"));
  CHECK(contains(thrown([] { json_to_toml({{"a", 18446744073709551615U}}); }), "63 bits"));
  CHECK(contains(thrown([] { read("x = 1\nday = 1979-05-27\n"); }), "a.toml:2:7"));
  CHECK(contains(thrown([] { read("a = " + std::string(70, '[') + std::string(70, ']')); }),
                 "nesting"));
}
