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
