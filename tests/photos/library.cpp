// SPDX-License-Identifier: Apache-2.0
#include "cards/encode.h"
#include "catch.h"
#include "pictures.h"
#include "service/photo_library.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::service;
using test::contains;
using test::thrown;
using Outcome = ImportedFile::Outcome;

namespace {

constexpr const char* kAllowed = "CC-BY-4.0";

// A folder of pictures to import, and a library beside it.
struct Desk {
  test::TemporaryFolder folder;
  Config config;
  ManualClock clock{1'000'000};
  store::Store store{folder / "test.db", clock};
  store::Artifacts artifacts{folder / "artifacts"};
  PhotoLibrary library{config, store, artifacts};

  Desk() { config.photos.decoder = AFFICHE_PICTURE_DECODER; }
  void picture(const std::string& name, const std::string& license, const std::string& keyword,
               std::uint32_t width = 1600) const {
    const auto height = static_cast<std::uint32_t>(900 + name[0]);
    const bool whole = width < 10'000;
    const Image grey = make_image(whole ? static_cast<int>(width) : 1, static_cast<int>(height), 3);
    write_atomically(
        folder / "in" / (name + ".jpg"),
        whole ? cards::encode(grey, cards::Format::Jpeg).bytes : test::jpeg_header(width, height));
    if (license.empty()) return;
    write_atomically(folder / "in" / (name + ".jpg.toml"),
                     std::string_view(concat("title = \"", name, "\"\nauthor = \"A\"\nlicense = \"",
                                             license, "\"\nkeywords = [\"", keyword, "\"]\n")));
  }
  ImportedFile import_one() {
    const auto report = library.import_folder(folder / "in");
    REQUIRE(report.size() == 1);
    return report.front();
  }
};

}  // namespace

TEST_CASE("an imported photo is found with its bytes and its credit", "[library]") {
  Desk desk;
  desk.picture("dune", kAllowed, "sea");
  const ImportedFile imported = desk.import_one();
  REQUIRE(imported.outcome == Outcome::Imported);
  const FoundPhoto found = desk.library.find("the sea");
  REQUIRE(found.id == imported.id);
  REQUIRE(found.photo.encoded() == read_bytes(desk.folder / "in" / "dune.jpg"));
  REQUIRE(found.photo.credit().license == "CC-BY-4.0");
  REQUIRE(desk.store.photo(found.id)->width == 1600);
  REQUIRE(desk.library.get(found.id).photo.credit() == found.photo.credit());
}

TEST_CASE("a second import changes nothing, a corrected sidecar is taken over", "[library]") {
  Desk desk;
  desk.picture("dune", kAllowed, "sea");
  desk.import_one();
  REQUIRE(desk.import_one().outcome == Outcome::Present);
  desk.picture("dune", kAllowed, "coast");
  REQUIRE(desk.import_one().outcome == Outcome::Updated);
  REQUIRE(desk.library.search("coast").size() == 1);
  REQUIRE(desk.library.search("sea").empty());
}

TEST_CASE("each refused file has its reason, and the others come in", "[library]") {
  Desk desk;
  desk.picture("a-fine", kAllowed, "x");
  desk.picture("b-nc", "CC-BY-NC-4.0", "x");
  desk.picture("c-none", "", "x");
  desk.picture("d-unknown", "my own", "x");
  desk.picture("e-small", kAllowed, "x", 320);
  desk.picture("f-huge", kAllowed, "x", 65535);
  desk.config.photos.max_megapixels = 20;
  desk.picture("g-liar", kAllowed, "x");
  write_atomically(desk.folder / "in" / "g-liar.jpg", std::string_view("<svg/>"));
  write_atomically(desk.folder / "in" / "notes.txt", std::string_view("not a picture"));

  const auto report = desk.library.import_folder(desk.folder / "in");
  REQUIRE(report.size() == 7);
  REQUIRE(report[0].outcome == Outcome::Imported);
  const char* reasons[] = {"forbids commercial use",        "no sidecar",
                           "no licence that affiche knows", "width of at least 640",
                           "at most 20000000 pixels",       "expected a JPEG"};
  for (std::size_t i = 1; i < report.size(); ++i) {
    CAPTURE(report[i].reason);
    CHECK(report[i].outcome == Outcome::Refused);
    CHECK(contains(report[i].reason, reasons[i - 1]));
  }
  REQUIRE(desk.store.photos().size() == 1);
}

TEST_CASE("a stricter policy holds for photos that are there already", "[library]") {
  Desk desk;
  desk.config.photos.policy.allow_sharealike = true;
  desk.picture("dune", "CC-BY-SA-4.0", "sea");
  const std::string id = desk.import_one().id;
  desk.config.photos.policy.allow_sharealike = false;
  REQUIRE(contains(thrown([&] { desk.library.find("sea"); }), "not_found: photo \"sea\""));
  REQUIRE(contains(thrown([&] { desk.library.get(id); }), "refused: "));
}

TEST_CASE("a file outside the library passes the same gate", "[library]") {
  Desk desk;
  desk.picture("dune", "", "");
  Credit credit;
  credit.title = "Dune";
  credit.author = "A";
  credit.license = "CC BY 4.0";
  const auto file = desk.folder / "in" / "dune.jpg";
  const FoundPhoto taken = desk.library.take(file, credit);
  REQUIRE(taken.photo.credit().license == "CC-BY-4.0");
  REQUIRE(desk.artifacts.has(taken.id));
  credit.license = "CC-BY-ND-4.0";
  REQUIRE(contains(thrown([&] { desk.library.take(file, credit); }), "forbids changes"));
  credit.license = "CC0-1.0";
  credit.author.clear();
  REQUIRE(contains(thrown([&] { desk.library.take(file, credit); }), "no author"));
}

TEST_CASE("links in the folder are not followed", "[library]") {
  Desk desk;
  desk.picture("dune", kAllowed, "sea");
  std::filesystem::create_symlink("/etc/passwd", desk.folder / "in" / "zz.jpg");
  REQUIRE(desk.import_one().title == "dune");
}
