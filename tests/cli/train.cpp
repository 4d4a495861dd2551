// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "cli/commands.h"

using namespace affiche;
using namespace affiche::test;

TEST_CASE("train data draws pictures with captions") {
  const TemporaryFolder folder;
  const std::string out = (folder / "drawn").string();
  const Words words = {"train", "data",     "--count", "2",     "--width",
                       "64",    "--height", "64",      "--out", out};
  REQUIRE(run_program(words).code == 0);
  for (const char* stem : {"demo-brand-1000", "demo-brand-1001"}) {
    const std::string picture = read_text(folder / "drawn" / (std::string(stem) + ".ppm"));
    CHECK(picture.starts_with("P6"));
    CHECK(picture.size() > 64 * 64 * 3);
    const std::string caption = read_text(folder / "drawn" / (std::string(stem) + ".txt"));
    CHECK(caption.starts_with("demo brand"));
  }
  REQUIRE(read_text(folder / "drawn/demo-brand-1000.ppm") !=
          read_text(folder / "drawn/demo-brand-1001.ppm"));
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
      {{"train", "base"}, 2, "subcommand"},
      {{"train", "base", "vea"}, 2, "did you mean 'vae'?"},
      {{"train", "lora", "--model", out}, 2, "--data"},
  };
  for (const auto& [words, code, message] : mistakes) {
    const Answer answer = run_program(words);
    INFO(answer.err);
    CHECK(answer.code == code);
    CHECK(answer.says(message));
  }
}
