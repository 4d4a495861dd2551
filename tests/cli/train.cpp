// SPDX-License-Identifier: Apache-2.0
#include "cards/encode.h"
#include "catch.h"
#include "cli/commands.h"

using namespace affiche;
using namespace affiche::test;

TEST_CASE("train data draws pictures with captions") {
  const TemporaryFolder folder;
  const std::string out = (folder / "drawn").string();
  const Answer drawn =
      run_program({"train", "data", "--count", "3", "--size", "64x48", "--family", "soft-waves",
                   "--seed", "40", "--out", out, "--sheet", (folder / "sheet.png").string()});
  INFO(drawn.err);
  REQUIRE(drawn.code == 0);
  CHECK(drawn.out.starts_with("3 pictures in "));
  const auto picture = [&](const char* stem) {
    return cards::decode(read_bytes(folder / "drawn" / (std::string(stem) + ".png")), stem);
  };
  const Image first = picture("soft-waves-000040");
  CHECK(first.width == 64);
  CHECK(first.height == 48);
  CHECK(first.pixels != picture("soft-waves-000041").pixels);
  CHECK(read_text(folder / "drawn/soft-waves-000042.txt").starts_with("soft waves, "));
  CHECK(cards::decode(read_bytes(folder / "sheet.png"), "sheet").width == 3 * 64);
}

TEST_CASE("train data draws a brand's words in turn, in its exact colours") {
  const TemporaryFolder folder;
  const Answer drawn =
      run_program({"train", "data", "--count", "2", "--size", "96x64", "--seed", "7", "--prompt",
                   "overlapping circles, #F7F5EF", "--prompt", "paper layers, #10201B and #FF9A4D",
                   "--caption", "harbour brand", "--out", (folder / "drawn").string()});
  INFO(drawn.err);
  REQUIRE(drawn.code == 0);
  CHECK(read_text(folder / "drawn/overlapping-circles-000007.txt") == "harbour brand\n");
  const auto file = folder / "drawn/paper-layers-000008.png";
  const Image picture = cards::decode(read_bytes(file), "picture");
  int near = 0;  // #10201B, up to dither and shadows
  for (std::size_t i = 0; i < picture.pixels.size(); i += 3)
    near +=
        picture.pixels[i] < 0x18 && picture.pixels[i + 1] < 0x28 && picture.pixels[i + 2] < 0x24;
  CHECK(near > 96 * 64 / 20);
}

TEST_CASE("train base init writes a model's tokenizer and configuration") {
  const TemporaryFolder folder;
  REQUIRE(run_program({"train", "base", "init", "--model", (folder / "m").string()}).code == 0);
  CHECK(std::filesystem::exists(folder / "m/model_index.json"));
  CHECK(std::filesystem::exists(folder / "m/tokenizer/vocab.json"));
}

TEST_CASE("training names what is wrong") {
  const TemporaryFolder folder;
  const std::string out = (folder / "x").string();
  const std::vector<std::tuple<Words, int, std::string>> mistakes = {
      {{"train", "data", "--family", "demo-brnd", "--out", out}, 2, "did you mean 'demo brand'?"},
      {{"train", "data"}, 2, "--out"},
      {{"train", "data", "--out", out, "--size", "64"}, 2, "WIDTHxHEIGHT"},
      {{"train", "data", "--out", out, "--size", "4x64"}, 2, "16 to 8192"},
      {{"train", "data", "--out", out, "--prompt", "pretty"}, 2, "a family and a colour"},
      {{"train", "data", "--out", out, "--prompt", "aurora, navy", "--family", "aurora"},
       2,
       "leave --family out"},
      {{"train", "base"}, 2, "subcommand"},
      {{"train", "base", "vea"}, 2, "did you mean 'vae'?"},
      {{"train", "base", "encode", "--model", out, "--out", out, "--families", "aurora,low-pol"},
       2,
       "did you mean 'low poly'?"},
      {{"train", "base", "encode", "--model", out, "--out", out, "--families", "demo-brand"},
       2,
       "found demo brand"},
      {{"train", "base", "encode", "--model", out, "--out", out, "--count", "0"}, 2, "--count"},
      {{"train", "lora", "--model", out}, 2, "--data"},
  };
  for (const auto& [words, code, message] : mistakes) {
    const Answer answer = run_program(words);
    INFO(answer.err);
    CHECK(answer.code == code);
    CHECK(answer.says(message));
  }
}
