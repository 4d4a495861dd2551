// SPDX-License-Identifier: Apache-2.0
#include "diffusion/text/prompt_weights.h"

#include "base/error.h"
#include "catch.h"
#include "diffusion/goldens.h"

using namespace affiche;
using namespace affiche::diffusion;

namespace {

using Expected = std::vector<std::pair<std::string, double>>;

constexpr double kBreak = -1;  // stands for BREAK in the tables, as it does in A1111

Expected flat(const std::vector<PromptPart>& parts) {
  Expected out;
  for (const PromptPart& part : parts) {
    if (part.starts_chunk) {
      out.emplace_back("BREAK", kBreak);
    } else {
      out.emplace_back(part.text, part.weight);
    }
  }
  return out;
}

bool refused(const std::string& prompt) {
  try {
    parse_prompt_weights(prompt);
  } catch (const Error& error) {
    return error.cause() == Cause::BadInput;
  }
  return false;
}

}  // namespace

TEST_CASE("brackets weigh as in A1111's own examples") {
  const std::vector<std::pair<std::string, Expected>> table = {
      {"normal text", {{"normal text", 1.0}}},
      {"an (important) word", {{"an ", 1.0}, {"important", 1.1}, {" word", 1.0}}},
      {"(unbalanced", {{"unbalanced", 1.1}}},
      {"\\(literal\\]", {{"(literal]", 1.0}}},
      {"(unnecessary)(parens)", {{"unnecessaryparens", 1.1}}},
      {"a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
       {{"a ", 1.0},
        {"house", 1.5730000000000004},
        {" ", 1.1},
        {"on", 1.0},
        {" a ", 1.1},
        {"hill", 0.55},
        {", sun, ", 1.1},
        {"sky", 1.4641000000000006},
        {".", 1.1}}},
  };
  for (const auto& [prompt, expected] : table) {
    INFO(prompt);
    CHECK(flat(parse_prompt_weights(prompt)) == expected);
  }
}

TEST_CASE("brackets weigh as in A1111 at the edges of the grammar") {
  const double less = 1 / 1.1;
  const std::vector<std::pair<std::string, Expected>> table = {
      {"", {{"", 1.0}}},
      {"(", {{"", 1.0}}},
      {"()", {{"", 1.0}}},
      {"[dim", {{"dim", less}}},
      {"closed) too] early", {{"closed) too] early", 1.0}}},
      {"no bracket:1.3) open", {{"no bracket:1.3) open", 1.0}}},
      {"time: 10:30", {{"time: 10:30", 1.0}}},
      {"(a: 1.5 )", {{"a", 1.5}}},
      {"(a:+1.5)(b:-.5)(c:2.)", {{"a", 1.5}, {"b", -0.5}, {"c", 2.0}}},
      {"(a:1.5", {{"a:1.5", 1.1}}},
      {"(a:1.5x)", {{"a:1.5x", 1.1}}},
      {"[a:1.5]", {{"a:1.5", less}}},
      {"([a)]", {{"a", 1.1 * less}}},
      {"a\\\\b\\c", {{"a\\bc", 1.0}}},
      {"a BREAK b", {{"a", 1.0}, {"BREAK", kBreak}, {"b", 1.0}}},
      {"BREAK", {{"", 1.0}, {"BREAK", kBreak}, {"", 1.0}}},
      {"BREAKS xBREAK break", {{"BREAKS xBREAK break", 1.0}}},
      {"(a BREAK b:1.2)", {{"a", 1.2}, {"BREAK", kBreak}, {"b", 1.2}}},
  };
  for (const auto& [prompt, expected] : table) {
    INFO(prompt);
    CHECK(flat(parse_prompt_weights(prompt)) == expected);
  }
}

TEST_CASE("brackets weigh as an independent reader of the grammar says") {
  const Json cases = golden_json("prompts/weights.json");
  REQUIRE(cases.size() == 400);
  for (const Json& item : cases) {
    INFO(item.dump());
    Expected expected;
    for (const Json& part : item[1]) {
      if (part[0].is_null()) {
        expected.emplace_back("BREAK", kBreak);
      } else {
        expected.emplace_back(part[0].get<std::string>(), part[1].get<double>());
      }
    }
    CHECK(flat(parse_prompt_weights(item[0].get<std::string>())) == expected);
  }
}

TEST_CASE("without weights, brackets are text and only BREAK is read") {
  const Expected expected = {{"(a:1.2) \\[b", 1.0}, {"BREAK", kBreak}, {"c", 1.0}};
  CHECK(flat(split_at_breaks("(a:1.2) \\[b BREAK c")) == expected);
}

TEST_CASE("hostile brackets end soon, in weights or in an error") {
  const std::size_t many = 100000;
  const std::string nested = std::string(many, '(') + "a" + std::string(many, ')');
  CHECK(refused(nested));
  CHECK(refused(std::string(many, '[')));
  std::string flat_ones, deep(99, '('), colons;
  for (std::size_t i = 0; i < many; ++i) flat_ones += "(a)b";
  for (std::size_t i = 0; i < many; ++i) deep += "[a]";
  for (std::size_t i = 0; i < many; ++i) colons += ": 1";
  CHECK(parse_prompt_weights(flat_ones).size() == 2 * many);
  CHECK(parse_prompt_weights(deep).size() == 1);
  CHECK(parse_prompt_weights("(" + colons).size() == 1);
  CHECK(parse_prompt_weights(std::string(many, ')')).size() == 1);
  CHECK(parse_prompt_weights(std::string(many, '\\')).size() == 1);
}

TEST_CASE("weights that are no numbers are refused") {
  CHECK(refused("(a:1.2.3)"));
  CHECK(refused("(a:.)"));
  CHECK(refused("(a:" + std::string(400, '9') + ")"));
  CHECK(refused("((a:1" + std::string(200, '0') + "):1" + std::string(200, '0') + ")"));
  CHECK(refused("\xFF"));
}
