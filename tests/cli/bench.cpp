// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "cli/program.h"

using namespace affiche;

TEST_CASE("bench says why a peer gave no figures", "[bench]") {
  const test::TemporaryFolder folder;
  const std::string source = AFFICHE_SOURCE_DIR;
  write_atomically(folder / "python",
                   std::string_view("#!/bin/sh\necho 'ModuleNotFoundError: No module named PIL' "
                                    ">&2\necho 'a last line' >&2\nexit 1\n"));
  std::filesystem::permissions(folder / "python", std::filesystem::perms::owner_all);
  const test::Answer answer = test::run_program(
      {"bench", "cards", "--drawings", source + "/bench/cards", "--cards", "1", "--rounds", "1",
       "--folder", (folder / "parts").string(), "--python", (folder / "python").string(), "--node",
       (folder / "nothing").string(), "--json"});
  REQUIRE(answer.code == 0);
  const Json peers = answer.json().at("peers");
  REQUIRE(peers.size() == 3);
  CHECK(peers[0].at("why") == "ModuleNotFoundError: No module named PIL");
  CHECK(peers[1].at("why").get<std::string>().find("not found") != std::string::npos);
  CHECK(answer.json().at("prepared_parts_ms").get<double>() > 0);
}

TEST_CASE("bench model tells of a model with its LoRAs how it does each family", "[bench]") {
  const test::TemporaryFolder folder;
  const std::string models = std::string(AFFICHE_SOURCE_DIR) + "/assets/models/";
  const std::string sheet = (folder / "sheet.png").string();
  const auto bench = [&](const std::string& lora) {
    return test::run_program({"bench",
                              "model",
                              "--model",
                              models + "affiche-mini",
                              "--lora",
                              lora,
                              "--prompts",
                              "2",
                              "--styles",
                              "1",
                              "--diverse",
                              "1",
                              "--seeds",
                              "2",
                              "--classifier-steps",
                              "2",
                              "--steps",
                              "1",
                              "--guidance",
                              "1",
                              "--width",
                              "96",
                              "--height",
                              "48",
                              "--sheet",
                              sheet,
                              "--json"});
  };
  const test::Answer answer = bench(models + "lora/eight-steps.safetensors:0.5");
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  const Json found = answer.json();
  for (const char* of : {"model", "drawn"}) {
    CHECK(found.at(of).at("pictures") == 2 + 16 + 2);
    CHECK(found.at(of).at("style_of").size() == 16);
    CHECK(found.at(of).at("colour_median").get<double>() > 0);
  }
  CHECK(found.at("drawn").at("style_of").contains("aurora"));
  CHECK(std::filesystem::file_size(sheet) > 10'000);
  const test::Answer missing = bench(models + "lora/nine-steps.safetensors");
  CHECK(missing.code == 1);
  CHECK(missing.says("nine-steps.safetensors"));
}
