// SPDX-License-Identifier: Apache-2.0
#include "recipes/parameters.h"

#include "catch.h"

using namespace affiche::recipes;

TEST_CASE("the text of the web UI is read as the web UI reads it", "[parameters]") {
  const Parameters found = parse_parameters(
      "a castle, (stone:1.2)\non a hill <lora:brand:0.8>\nNegative prompt: blurry,\nlow quality\n"
      "Steps: 20, Sampler: DPM++ 2M, Schedule type: Karras, CFG scale: 7, Seed: 123456789012, "
      "Size: 512x768, Model hash: 6ce0161689, Model: v1-5, Lora hashes: \"brand: 0123abcd, b: 9\", "
      "Hires prompt: \"a \\\"b\\\", c\\nd\", Version: v1.9.4");
  CHECK(found.prompt == "a castle, (stone:1.2)\non a hill <lora:brand:0.8>");
  CHECK(found.negative_prompt == "blurry,\nlow quality");
  REQUIRE(found.fields.size() == 11);
  CHECK(found.field("Steps") == "20");
  CHECK(found.field("Sampler") == "DPM++ 2M");
  CHECK(found.field("Lora hashes") == "brand: 0123abcd, b: 9");
  CHECK(found.field("Hires prompt") == "a \"b\", c\nd");
  CHECK(found.field("Version") == "v1.9.4");
  CHECK_FALSE(found.field("Model name"));
}

TEST_CASE("a text without a line of fields is all prompt", "[parameters]") {
  CHECK(parse_parameters("only: this, and: that").prompt == "only: this, and: that");
  CHECK(parse_parameters("only: this, and: that").fields.empty());
  CHECK(parse_parameters("").prompt.empty());
  CHECK(parse_parameters("Negative prompt: x").negative_prompt == "x");
  CHECK(parse_parameters("Steps: 1, Seed: 2, CFG scale: 3").prompt.empty());
  CHECK(parse_parameters("Steps: 1, Seed: 2, CFG scale: 3").fields.size() == 3);
}

TEST_CASE("text that is written is read back the same", "[parameters]") {
  Parameters made;
  made.prompt = "größe, \"quoted\"\nsecond line";
  made.negative_prompt = "bad: yes";
  made.fields = {{"Steps", "4"}, {"Model", "a, b: c"}, {"Odd", "say \"hi\" \\ there"}};
  const Parameters back = parse_parameters(to_text(made));
  CHECK(back.prompt == made.prompt);
  CHECK(back.negative_prompt == made.negative_prompt);
  CHECK(back.fields == made.fields);
}

TEST_CASE("control characters and broken UTF-8 do not reach the text", "[parameters]") {
  Parameters made;
  made.prompt = std::string("a\x1b[31m\0b\xff", 9);
  made.fields = {{"Model", "a\nSteps: 9"}, {"Seed", "1"}, {"Size", "8x8"}};
  const std::string text = to_text(made);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\0') == std::string::npos);
  CHECK(text.find("\xef\xbf\xbd") != std::string::npos);
  CHECK(parse_parameters(text).field("Model") == "a Steps: 9");
}

TEST_CASE("a hostile line costs no more than its length", "[parameters]") {
  CHECK(parse_parameters(std::string(1 << 20, 'a')).prompt.size() == 1 << 20);
  CHECK(parse_parameters(std::string(1 << 20, '"')).prompt.size() == 1 << 20);
  std::string colons;
  for (int i = 0; i < 100'000; ++i) colons += "ab: \"";
  CHECK(parse_parameters(colons).fields.size() >= 3);
}
