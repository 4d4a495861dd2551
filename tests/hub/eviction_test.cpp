// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/stat.h>

#include "catch.h"
#include "hub/fake_hub.h"
#include "hub/fetch.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::hub;
using namespace affiche::test;

namespace {

namespace fs = std::filesystem;

struct Silent final : Watcher {
  void note(const std::string&) override {}
  void planned(std::size_t, std::uint64_t) override {}
  void progress(const std::string&, std::uint64_t) override {}
};

// Files of 400 kB each under a limit of 1 MiB: two fit.
struct Shelf {
  TemporaryFolder folder;
  FakeHub server;
  Settings settings;
  Silent silent;

  Shelf() {
    for (const char* name : {"a", "b", "c", "d"}) {
      server.files[std::string(name) + ".safetensors"] = noise(400'000, unsigned(name[0]));
    }
    server.files["big.safetensors"] = noise(1'100'000);
    settings.endpoint = server.endpoint();
    settings.cache = folder / "cache";
    settings.cache_limit = 1 << 20;
  }
  std::string url(const std::string& name) const {
    return server.storage.url("/stored/" + name + ".safetensors");
  }
  Cached fetch_one(const std::string& name) {
    return fetch(settings, {parse_reference(url(name)), {}, ""}, silent).place;
  }
  bool has(const std::string& name) {
    return thrown([&] { find(name); }) == "nothing was thrown";
  }
  Cached find(const std::string& name) {
    return Cache(settings.cache, settings.cache_limit).find(parse_reference(url(name)));
  }
  // As if it had last been used so many hours ago.
  void age(const std::string& name, int hours) {
    fs::path record = find(name).path.parent_path();
    record += ".json";
    fs::last_write_time(record, fs::file_time_type::clock::now() - std::chrono::hours(hours));
  }
  std::uintmax_t bytes() {
    std::uintmax_t sum = 0;
    for (const auto& blob : fs::directory_iterator(settings.cache / "blobs"))
      sum += blob.file_size();
    return sum;
  }
};

}  // namespace

TEST_CASE("the model that was used least recently makes room", "[hub]") {
  Shelf shelf;
  shelf.fetch_one("a");
  shelf.fetch_one("b");
  shelf.age("a", 1);
  shelf.age("b", 5);
  shelf.fetch_one("c");
  CHECK(shelf.has("a"));
  CHECK(!shelf.has("b"));
  CHECK(shelf.has("c"));
  CHECK(shelf.bytes() == 800'000);
  CHECK(shelf.bytes() <= shelf.settings.cache_limit);
}

TEST_CASE("finding a model counts as use", "[hub]") {
  Shelf shelf;
  shelf.fetch_one("a");
  shelf.fetch_one("b");
  shelf.age("a", 5);
  shelf.age("b", 1);
  shelf.find("a");
  shelf.fetch_one("c");
  CHECK(shelf.has("a"));
  CHECK(!shelf.has("b"));
}

TEST_CASE("a model in use stays, and what does not fit then is refused", "[hub]") {
  Shelf shelf;
  const Cached a = shelf.fetch_one("a");
  shelf.fetch_one("b");
  shelf.age("a", 5);
  shelf.age("b", 1);
  const Cached c = shelf.fetch_one("c");
  CHECK(shelf.has("a"));
  CHECK(!shelf.has("b"));
  const std::string error = thrown([&] { shelf.fetch_one("d"); });
  CHECK(contains(error, "unavailable: "));
  CHECK(contains(error, "2 other models are in use"));
  CHECK(read_text(a.path) == noise(400'000, unsigned('a')));
  CHECK(read_text(c.path) == noise(400'000, unsigned('c')));
}

TEST_CASE("a model that is larger than the limit is refused and drives nothing out", "[hub]") {
  Shelf shelf;
  shelf.fetch_one("a");
  CHECK(contains(thrown([&] { shelf.fetch_one("big"); }), "refused: "));
  const std::string error = thrown([&] {
    fetch(shelf.settings, {parse_reference("hub:studio/brush/big.safetensors"), {}, ""},
          shelf.silent);
  });
  CHECK(
      contains(error, "expected at most models.cache_limit_mib = 1, found 2 MiB; raise the limit"));
  CHECK(shelf.has("a"));
  shelf.settings.cache_limit = 0;
  shelf.fetch_one("big");
}

TEST_CASE("what a crash left goes when room is made, and finished blobs that models share stay",
          "[hub]") {
  Shelf shelf;
  shelf.fetch_one("a");
  const fs::path cache = shelf.settings.cache;
  write_atomically(cache / "blobs" / ("sha256-" + std::string(64, 'e')),
                   std::string_view("orphan"));
  write_atomically(cache / "files/0123/old.safetensors", std::string_view("without a record"));
  write_atomically(cache / "partial/sha256-old.part", std::string_view("x"));
  fs::last_write_time(cache / "partial/sha256-old.part",
                      fs::file_time_type::clock::now() - std::chrono::hours(24 * 30));
  write_atomically(cache / "partial/sha256-new.part", std::string_view("x"));
  shelf.fetch_one("b");
  CHECK(!fs::exists(cache / "blobs" / ("sha256-" + std::string(64, 'e'))));
  CHECK(!fs::exists(cache / "files/0123"));
  CHECK(!fs::exists(cache / "partial/sha256-old.part"));
  CHECK(fs::exists(cache / "partial/sha256-new.part"));
  CHECK(shelf.has("a"));
}

TEST_CASE("a damaged record counts for nothing and is fetched again", "[hub]") {
  Shelf shelf;
  const fs::path file = shelf.fetch_one("a").path;
  fs::path record = file.parent_path();
  record += ".json";
  for (
      const char* text :
      {"", "{", "[]", R"({"source":"x","commit":"","etag":"","model":"../../x","files":[]})",
       R"({"source":"x","commit":"","etag":"","model":"","files":[{"path":"../x","blob":"aaaaaa","size":1,"verified":true}]})",
       R"({"source":"x","commit":"","etag":"","model":"","files":[{"path":"x","blob":"../../a","size":1,"verified":true}]})"}) {
    INFO(text);
    write_atomically(record, std::string_view(text));
    CHECK(!shelf.has("a"));
    CHECK(shelf.fetch_one("a").path == file);
  }
}

TEST_CASE("cached files are read-only", "[hub]") {
  Shelf shelf;
  struct stat info {};
  REQUIRE(::stat(shelf.fetch_one("a").path.c_str(), &info) == 0);
  CHECK((info.st_mode & 0777) == 0444);
}
