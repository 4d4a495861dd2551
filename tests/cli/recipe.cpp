// SPDX-License-Identifier: Apache-2.0
// Recipes of other programs, imported as users do.
#include "base/toml_json.h"
#include "catch.h"
#include "cli/program.h"

using namespace affiche;
using namespace affiche::test;

namespace {

std::string sample(const std::string& name) {
  return (std::filesystem::path(AFFICHE_SOURCE_DIR) / "tests/data/recipes" / name).string();
}

}  // namespace

TEST_CASE("recipe import writes TOML and lists what has no counterpart") {
  const TemporaryFolder folder;
  const std::string out = (folder / "recipe.toml").string();
  const Answer human =
      run_program({"recipe", "import", sample("without_counterpart.json"), "--out", out});
  INFO(human.err);
  REQUIRE(human.code == 0);
  CHECK(human.out == out + "\n");
  CHECK(human.err.find("no counterpart  node 10 FreeU_V2 (b1 = 1.3") != std::string::npos);
  const Json written = toml_to_json(parse_toml_file(out), out);
  CHECK(written.at("prompt") == "a castle on a hill");

  const Json answer =
      run_program({"recipe", "import", sample("without_counterpart.json"), "--json"}).json();
  CHECK(answer.at("source") == "comfyui-api");
  CHECK(answer.at("recipe").at("seed") == written.at("seed"));
  CHECK(answer.at("no_counterpart").size() >= 6);
  CHECK(answer.at("to_find").size() == 1);
  CHECK(
      toml_to_json(parse_toml(answer.at("toml").get<std::string>(), "a"), "a") ==
      toml_to_json(
          parse_toml(
              run_program({"recipe", "import", sample("without_counterpart.json"), "-q"}).out, "b"),
          "b"));
}

TEST_CASE("recipe import refuses what it cannot read") {
  const TemporaryFolder folder;
  write_atomically(folder / "a.json", std::string("{\"1\": {\"class_type\": \"Note\"}}"));
  write_atomically(folder / "b.png", std::string("\x89PNG\r\n\x1a\n and then nothing"));
  write_atomically(folder / "c.txt", std::string("hello"));
  for (const auto& [file, message] :
       {std::pair{"a.json", "expected a workflow with a KSampler"},
        std::pair{"b.png", "b.png: expected"}, std::pair{"c.txt", "expected a parameters text"},
        std::pair{"none.json", "there is no such file"}}) {
    const Answer answer = run_program({"recipe", "import", (folder / file).string()});
    INFO(answer.err);
    CHECK(answer.code == 2);
    CHECK(answer.says(message));
  }
}
