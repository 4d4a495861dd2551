// SPDX-License-Identifier: Apache-2.0
#include "http/watched_files.h"

#include "base/files.h"
#include "catch.h"
#include "store/temporary_folder.h"

using namespace affiche;

TEST_CASE("written, added and removed files change the state, hidden ones do not", "[watched]") {
  const test::TemporaryFolder folder;
  const auto state = [&] { return http::state_of_files({folder / "a", folder / "one.json"}); };
  write_atomically(folder / "a/sub/x.svg", std::string("first"));
  const std::uint64_t first = state();
  CHECK(state() == first);
  write_atomically(folder / "a/sub/x.svg", std::string("longer text"));
  const std::uint64_t second = state();
  CHECK(second != first);
  write_atomically(folder / "a/.x.svg.swp", std::string("an editor's"));
  write_atomically(folder / "a/.git/index", std::string("git's"));
  CHECK(state() == second);
  write_atomically(folder / "one.json", std::string("{}"));
  const std::uint64_t third = state();
  CHECK(third != second);
  std::filesystem::remove(folder / "a/sub/x.svg");
  CHECK(state() != third);
}

TEST_CASE("places that are missing have a state too", "[watched]") {
  const test::TemporaryFolder folder;
  CHECK_NOTHROW(http::state_of_files({folder / "nowhere", folder / "nothing.json"}));
}
