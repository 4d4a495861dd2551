// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <sys/stat.h>

#include "catch.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using test::contains;
using test::thrown;

TEST_CASE("a written file is there whole, with no temporary left", "[files]") {
  const test::TemporaryFolder folder;
  const auto path = folder / "deep" / "card.txt";
  write_atomically(path, std::string_view("first"));
  write_atomically(path, std::string_view("second"));
  REQUIRE(read_text(path) == "second");
  const auto begin = std::filesystem::directory_iterator(path.parent_path());
  REQUIRE(std::distance(begin, std::filesystem::directory_iterator()) == 1);
}

TEST_CASE("a failed write leaves the old file and no temporary", "[files]") {
  const test::TemporaryFolder folder;
  std::filesystem::create_directories(folder / "taken");
  write_atomically(folder / "taken" / "inside", std::string_view("x"));
  REQUIRE(contains(thrown([&] { write_atomically(folder / "taken", std::string_view("new")); }),
                   "taken: cannot rename to"));
  for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    REQUIRE(entry.path().filename() == "taken");
  }
}

TEST_CASE("reading names the file and what is wrong with it", "[files]") {
  const test::TemporaryFolder folder;
  write_atomically(folder / "ten", std::string_view("0123456789"));
  REQUIRE(contains(thrown([&] { read_text(folder / "none"); }), "not_found: "));
  REQUIRE(contains(thrown([&] { read_text(folder.path()); }), "expected a regular file"));
  REQUIRE(contains(thrown([&] { read_text(folder / "ten", 9); }),
                   "expected at most 9 bytes, found 10"));
}

TEST_CASE("a pipe is refused and does not block", "[files]") {
  const test::TemporaryFolder folder;
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  REQUIRE(contains(thrown([&] { read_bytes(folder / "pipe"); }), "expected a regular file"));
  REQUIRE(contains(thrown([&] { MappedFile mapped(folder / "pipe"); }), "expected a regular file"));
}

TEST_CASE("a mapped file shows the bytes, an empty one an empty span", "[files]") {
  const test::TemporaryFolder folder;
  write_atomically(folder / "abc", std::string_view("abc"));
  write_atomically(folder / "empty", std::string_view());
  const MappedFile mapped(folder / "abc");
  REQUIRE(std::string(mapped.bytes().begin(), mapped.bytes().end()) == "abc");
  REQUIRE(MappedFile(folder / "empty").bytes().empty());
}
