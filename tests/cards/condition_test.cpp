// SPDX-License-Identifier: Apache-2.0
#include "cards/condition.h"

#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

const std::vector<std::string> kNames = {"photo", "kicker", "count", "scheme"};

Truth truth(const std::string& text, const std::map<std::string, std::string>& known) {
  return Condition::parse(text, kNames).evaluate(known);
}

std::string refusal(const std::string& text) {
  const Thrown error = thrown([&] { Condition::parse(text, kNames); });
  CHECK(error.cause == Cause::BadInput);
  return error.message;
}

}  // namespace

TEST_CASE("a condition asks whether names have values", "[condition]") {
  const std::map<std::string, std::string> known = {
      {"photo", "yes"}, {"kicker", ""}, {"count", "3"}, {"scheme", "dark"}};
  CHECK(truth("", known) == Truth::Yes);
  CHECK(truth("photo", known) == Truth::Yes);
  CHECK(truth("no_photo", known) == Truth::No);
  CHECK(truth("set:kicker", known) == Truth::No);
  CHECK(truth("unset:kicker", known) == Truth::Yes);
  CHECK(truth("not kicker and photo", known) == Truth::Yes);
  CHECK(truth("kicker or not (photo and count)", known) == Truth::No);
}

TEST_CASE("a condition compares texts and numbers", "[condition]") {
  const std::map<std::string, std::string> known = {
      {"photo", ""}, {"kicker", "Science"}, {"count", "10"}, {"scheme", "dark"}};
  CHECK(truth("scheme == 'dark'", known) == Truth::Yes);
  CHECK(truth("kicker != 'Science'", known) == Truth::No);
  CHECK(truth("count >= 9", known) == Truth::Yes);  // as numbers: "10" sorts before "9"
  CHECK(truth("count == 10.0", known) == Truth::Yes);
  CHECK(truth("count < 3 or photo", known) == Truth::No);
  CHECK(truth("kicker > 1", known) == Truth::No);
}

TEST_CASE("what is not known leaves a condition open only where it matters", "[condition]") {
  CHECK(truth("kicker", {}) == Truth::Unknown);
  CHECK(truth("photo and kicker", {{"photo", ""}}) == Truth::No);
  CHECK(truth("photo or kicker", {{"photo", "yes"}}) == Truth::Yes);
  CHECK(truth("photo and kicker", {{"photo", "yes"}}) == Truth::Unknown);
}

TEST_CASE("a broken condition says what was expected", "[condition]") {
  CHECK(contains(refusal("kiker"), "'kicker'"));
  CHECK(contains(refusal("photo and"), "ends too early"));
  CHECK(contains(refusal("photo kicker"), "unexpected"));
  CHECK(contains(refusal("(photo"), "expected )"));
  CHECK(contains(refusal("scheme == dark"), "'text'"));
  CHECK(contains(refusal("scheme == 'dark"), "closing"));
  CHECK(contains(refusal("count < 'a'"), "number"));
  CHECK(contains(refusal("photo & kicker"), "unexpected"));
  CHECK(contains(refusal(std::string(200, '(') + "photo"), "nested"));
  std::string nots;
  for (int i = 0; i < 100; ++i) nots += "not ";
  CHECK(contains(refusal(nots + "photo"), "nested"));
  CHECK(contains(refusal(std::string(600, ' ') + "photo"), "longer"));
}

}  // namespace affiche::cards::test
