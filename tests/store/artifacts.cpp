// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts.h"

#include <fstream>

#include "base/error.h"
#include "base/sha256.h"
#include "catch.h"
#include "store/store.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::store;
using affiche::test::TemporaryFolder;

namespace {

Bytes bytes(const std::string& text) {
  return Bytes(text.begin(), text.end());
}

}  // namespace

TEST_CASE("bytes come back under the hash of their content") {
  const TemporaryFolder folder;
  const Artifacts artifacts(folder / "artifacts");
  const std::string name = artifacts.put(bytes("hello"));
  REQUIRE(name == sha256_hex(std::string_view("hello")));
  REQUIRE(artifacts.get(name) == bytes("hello"));
  REQUIRE(artifacts.put(bytes("hello")) == name);
  REQUIRE(artifacts.has(name));
  REQUIRE_FALSE(artifacts.has(sha256_hex(std::string_view("other"))));
}

TEST_CASE("damaged bytes are never handed out and are made again") {
  const TemporaryFolder folder;
  const Artifacts artifacts(folder / "artifacts");
  const std::string name = artifacts.put(bytes("hello"));
  std::ofstream(artifacts.path(name)) << "hellO";
  REQUIRE_THROWS_AS(artifacts.get(name), Error);
  REQUIRE_FALSE(artifacts.has(name));
  artifacts.put(bytes("hello"));
  REQUIRE(artifacts.get(name) == bytes("hello"));
}

TEST_CASE("a name that is not a hash cannot leave the folder") {
  const TemporaryFolder folder;
  const Artifacts artifacts(folder / "artifacts");
  REQUIRE_THROWS_AS(artifacts.path("../../etc/passwd"), Error);
  REQUIRE_THROWS_AS(artifacts.path(std::string(64, 'G')), Error);
  REQUIRE_THROWS_AS(artifacts.path(""), Error);
}

TEST_CASE("a sweep removes leftovers and what nothing names, if it is old") {
  const TemporaryFolder folder;
  const Artifacts artifacts(folder / "artifacts");
  const std::string kept = artifacts.put(bytes("kept"));
  const std::string stray = artifacts.put(bytes("stray"));
  const auto leftover =
      artifacts.path(kept).parent_path() / (std::string(kTemporaryPrefix) + "0011223344556677");
  std::ofstream(leftover) << "half";
  const Millis now = SystemClock().now();
  REQUIRE(artifacts.sweep({kept}, 60'000, now).removed.empty());
  REQUIRE(std::filesystem::exists(leftover));
  const auto swept = artifacts.sweep({kept}, 0, now + 1'000);
  REQUIRE(swept.removed == std::vector<std::string>{stray});
  REQUIRE(swept.leftovers == 1);
  REQUIRE(swept.bytes == 5);
  REQUIRE(artifacts.has(kept));
  REQUIRE_FALSE(std::filesystem::exists(leftover));
}

TEST_CASE("an old artifact that is put again counts as new") {
  const TemporaryFolder folder;
  const Artifacts artifacts(folder / "artifacts");
  const std::string name = artifacts.put(bytes("again"));
  std::filesystem::last_write_time(
      artifacts.path(name), std::filesystem::file_time_type::clock::now() - std::chrono::hours(48));
  artifacts.put(bytes("again"));
  REQUIRE(artifacts.sweep({}, 60'000, SystemClock().now()).removed.empty());
}

TEST_CASE("photographs, generated pictures and stages keep their artifacts") {
  const TemporaryFolder folder;
  const SystemClock clock;
  Store store(folder / "a.db", clock);
  PhotoRecord photo;
  photo.id = std::string(64, '1');
  photo.credit = {"Sea", "Ann", "", "Commons", "https://x", "CC-BY-4.0", "https://l", {}};
  photo.keywords = {"sea", "Küste"};
  photo.width = 800;
  photo.height = 600;
  photo.media_type = "image/jpeg";
  store.put_photo(photo);
  store.put_generated(std::string(64, '2'), "{}", std::string(64, '3'));
  REQUIRE(store.referenced_artifacts() ==
          std::set<std::string>{std::string(64, '1'), std::string(64, '3')});
  REQUIRE(store.photo(photo.id)->keywords == photo.keywords);
  REQUIRE(store.photo(photo.id)->credit == photo.credit);
  REQUIRE(store.photo(photo.id)->imported_at > 0);
  photo.width = 900;
  store.put_photo(photo);
  REQUIRE(store.photos().size() == 1);
  REQUIRE(store.photos().front().width == 900);
  REQUIRE(store.generated(std::string(64, '2')) == std::string(64, '3'));
  store.remove_generated(std::string(64, '2'));
  REQUIRE(store.remove_photo(photo.id));
  REQUIRE(store.referenced_artifacts().empty());
}

TEST_CASE("a photograph without a complete credit is not stored") {
  const TemporaryFolder folder;
  const SystemClock clock;
  Store store(folder / "a.db", clock);
  PhotoRecord photo;
  photo.id = std::string(64, '1');
  photo.width = photo.height = 1;
  photo.media_type = "image/png";
  REQUIRE_THROWS_AS(store.put_photo(photo), Error);
}
