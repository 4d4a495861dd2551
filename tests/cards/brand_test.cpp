// SPDX-License-Identifier: Apache-2.0
#include "cards/brand.h"

#include "base/error.h"
#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {

TEST_CASE("the demo brand has its colours, logo and voice", "[brand]") {
  const Brand brand = demo();
  CHECK(to_hex(brand.colour("teal")) == "#0fa3b1");
  CHECK(brand.publisher == "Northlight Review");
  CHECK_FALSE(brand.logo.empty());
  CHECK(brand.voice.model == kRoot / "assets/models/affiche-mini");
  CHECK(brand.voice.loras_of("background").size() == 2);
  CHECK(brand.voice.loras_of("chrome").size() == 1);
  CHECK(brand.voice.prompts.contains("background"));
  CHECK(brand.voice.prompts.contains("chrome"));
  CHECK(brand.voice.palette.size() == brand.colours.size());
}

TEST_CASE("a brand may say to which of its colours pictures are brought", "[brand]") {
  const auto brand = [](const std::string& palette) {
    return parse_brand(
        "publisher = \"A\"\n[colours]\nink = \"#0F1B2D\"\ncoral = \"#FF6B4A\"\n"
        "[fonts]\nbody = { family = \"Noto Sans\" }\n"
        "[voice]\nmodel = \"m\"\n" +
            palette,
        "brand.toml", kRoot);
  };
  CHECK(brand("").voice.palette == std::vector<std::string>{"coral", "ink"});
  CHECK(brand("palette = [\"ink\"]").voice.palette == std::vector<std::string>{"ink"});
  CHECK(brand("palette = []").voice.palette.empty());
  const std::string message = thrown([&] { brand("palette = [\"corall\"]"); }).message;
  CHECK(contains(message, "voice.palette: no colour \"corall\" in [colours]"));
  CHECK(contains(message, "did you mean 'coral'?"));
}

TEST_CASE("a LoRA may be worn for some of the brand's prompts alone", "[brand]") {
  const auto brand = [](const std::string& loras) {
    return parse_brand(
        "publisher = \"A\"\n[colours]\nink = \"#0F1B2D\"\n"
        "[fonts]\nbody = { family = \"Noto Sans\" }\n"
        "[voice]\nmodel = \"m\"\nloras = [" +
            loras + "]\n[voice.prompts]\nbackground = \"aurora\"\nchrome = \"soft waves\"\n",
        "brand.toml", kRoot);
  };
  const Voice voice = brand(
                          "{ file = \"look\" }, { file = \"edge\", prompts = [\"chrome\"] }, "
                          "{ file = \"winter\", weight = 0.5 }")
                          .voice;
  const auto worn = [&](const std::string& prompt) {
    std::string names;
    for (const VoiceLora& lora : voice.loras_of(prompt))
      names += lora.file.filename().string() + ' ';
    return names;
  };
  CHECK(worn("background") == "look winter ");
  CHECK(worn("chrome") == "look edge winter ");
  const std::string message =
      thrown([&] { brand("{ file = \"edge\", prompts = [\"crome\"] }"); }).message;
  CHECK(contains(message, "brand.toml:8:"));
  CHECK(contains(message, "no prompt \"crome\" in [voice.prompts]"));
  CHECK(contains(message, "did you mean 'chrome'?"));
}

TEST_CASE("a colour that the brand lacks is named with the nearest", "[brand]") {
  const Brand brand = demo();
  const Thrown error = thrown([&] { brand.colour("corall"); });
  CHECK(error.cause == Cause::BadInput);
  CHECK(contains(error.message, "coral"));
}

TEST_CASE("a brand with an unknown key or a bad colour is refused with its place", "[brand]") {
  const auto message = [](const std::string& text) {
    return thrown([&] { parse_brand(text, "brand.toml", kRoot); }).message;
  };
  const std::string fonts = "[fonts]\nbody = { family = \"Noto Sans\" }\n";
  CHECK(contains(message("publisher = \"A\"\nlogos = \"x.svg\"\n[colours]\n" + fonts),
                 "brand.toml:2:"));
  CHECK(
      contains(message("publisher = \"A\"\n[colours]\nink = \"navy\"\n" + fonts), "brand.toml:3:"));
}

}  // namespace affiche::cards::test
