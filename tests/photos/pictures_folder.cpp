// SPDX-License-Identifier: Apache-2.0
// A folder that people put pictures into while the program runs.
#include <chrono>

#include "cards/encode.h"
#include "catch.h"
#include "net/server.h"
#include "photos/bombs.h"
#include "photos/providers/providers.h"
#include "photos/ruling.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::photos;
using affiche::test::contains;
using affiche::test::thrown;

namespace {

struct Folder {
  test::TemporaryFolder folder;
  ManualClock clock{1'795'000'000'000};
  std::unique_ptr<Provider> provider;

  Folder() {
    ProviderSettings own;
    own.folder = folder.path();
    provider = make_pictures(clock, own);
  }
  void put(const std::string& name, int width = 800, const std::string& license = "CC-BY-4.0",
           const std::string& title = "Dune") const {
    const Image grey = make_image(width, 600, 3);
    std::filesystem::create_directories((folder / name).parent_path());
    write_atomically(folder / name, cards::encode(grey, cards::Format::Jpeg).bytes);
    if (license.empty()) return;
    write_atomically(
        folder / (name + ".toml"),
        std::string_view("title = \"" + title +
                         "\"\nauthor = \"A. Sand\"\nsource = "
                         "\"Archive\"\nlicense = \"" +
                         license + "\"\nkeywords = [\"desert\"]\nchanges = [\"graded\"]\n"));
  }
  std::vector<Candidate> search(const std::string& words) {
    Wanted wanted;
    wanted.query = words;
    return provider->search(wanted, {});
  }
  std::string rule(const Candidate& candidate) {
    const Ruling ruling = rule_on(candidate, {}, clock.now());
    return ruling.decision.allowed ? "allowed" : ruling.decision.reason;
  }
};

}  // namespace

TEST_CASE("what lies in the folder now is found now, without an import", "[pictures]") {
  Folder folder;
  CHECK(folder.search("desert").empty());
  folder.put("north/dune.jpg");
  const auto found = folder.search("desert");
  REQUIRE(found.size() == 1);
  CHECK(found[0].source_id == "north/dune.jpg");
  CHECK(found[0].width == 800);
  CHECK(folder.rule(found[0]) == "allowed");
  const Credit credit = credit_of(found[0], rule_on(found[0], {}, 1));
  CHECK(credit.author == "A. Sand");
  CHECK(credit.changes == std::vector<std::string>{"graded"});
  const Fetched fetched = folder.provider->fetch(found[0], {});
  CHECK(fetched.bytes == read_bytes(folder.folder / "north/dune.jpg"));
  CHECK(folder.provider->lookup("north/dune.jpg", {}).title == "Dune");
  // The same answer gives the same evidence, another sidecar gives another.
  CHECK(folder.search("desert")[0].raw == found[0].raw);
  folder.put("north/dune.jpg", 800, "CC-BY-4.0", "Dune at dawn");
  CHECK(folder.search("desert")[0].title == "Dune at dawn");
  CHECK(folder.search("desert")[0].raw != found[0].raw);
  std::filesystem::remove(folder.folder / "north/dune.jpg");
  CHECK(folder.search("desert").empty());
}

TEST_CASE("what may not be used is told by its name", "[pictures]") {
  Folder folder;
  folder.put("desert-bare.jpg", 800, "");
  folder.put("desert-nc.jpg", 800, "CC-BY-NC-4.0");
  folder.put("desert-twice.jpg");
  write_atomically(folder.folder / "desert-twice.jpg.json", std::string_view("{}"));
  folder.put("desert-text.jpg");
  write_atomically(folder.folder / "desert-text.jpg", std::string_view("no picture"));
  folder.put("desert-odd.jpg");
  write_atomically(folder.folder / "desert-odd.jpg.toml", std::string_view("title = 3"));
  std::map<std::string, std::string> reasons;
  for (const Candidate& one : folder.search("desert")) {
    reasons[one.source_id] = folder.rule(one);
  }
  REQUIRE(reasons.size() == 5);
  CHECK(contains(reasons["desert-bare.jpg"], "no sidecar with a credit"));
  CHECK(contains(reasons["desert-bare.jpg"], "desert-bare.jpg"));
  CHECK(contains(reasons["desert-nc.jpg"], "commercial"));
  CHECK(contains(reasons["desert-twice.jpg"], "desert-twice.jpg"));
  CHECK(contains(reasons["desert-text.jpg"], "desert-text.jpg"));
  CHECK(contains(reasons["desert-odd.jpg"], "desert-odd.jpg"));
  // Without a sidecar its own metadata would be read: not of what is no sound picture.
  const Bytes sound = read_bytes(folder.folder / "desert-nc.jpg");
  write_atomically(folder.folder / "desert-cut.jpg", std::span(sound).first(sound.size() - 40));
  for (const Candidate& one : folder.search("desert")) {
    if (one.source_id == "desert-cut.jpg") CHECK(contains(folder.rule(one), "cut short"));
  }
}

TEST_CASE("bombs in the folder are refused by their name, and links lead nowhere", "[pictures]") {
  Folder folder;
  const Image grey = make_image(1300, 900, 3);
  const Bytes sound = cards::encode(grey, cards::Format::Jpeg).bytes;
  for (const test::Bomb& bomb : test::bombs({sound.begin(), sound.end()})) {
    if (bomb.name == "deflate-torn") continue;  // sound from outside: the decoder's to refuse
    folder.put(bomb.name + ".jpg");
    write_atomically(folder.folder / (bomb.name + ".jpg"), std::string_view(bomb.bytes));
    Candidate candidate;
    candidate.source_id = bomb.name + ".jpg";
    const std::string error = thrown([&] { folder.provider->fetch(candidate, {}); });
    INFO(bomb.name << ": " << error);
    CHECK(contains(error, bomb.name + ".jpg"));
    CHECK(contains(error, bomb.error));
  }
  std::filesystem::create_symlink("/etc/passwd", folder.folder / "link.jpg");
  std::filesystem::create_directory_symlink("/etc", folder.folder / "etc");
  for (const char* id : {"link.jpg", "etc/passwd", "../x.jpg", "/etc/passwd", "a/../../x.jpg"}) {
    INFO(id);
    Candidate candidate;
    candidate.source_id = id;
    const std::string error = thrown([&] { folder.provider->fetch(candidate, {}); });
    INFO(error);
    CHECK((error.starts_with("refused: ") || error.starts_with("not_found: ")));
  }
  CHECK(contains(thrown([&] { make_pictures(folder.clock, {}); }), "usage: "));
}
