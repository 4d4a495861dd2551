// SPDX-License-Identifier: Apache-2.0
// Jobs whose photographs come from providers, with all of them up as fakes.
#include "service/photo_finder.h"

#include <cstdlib>

#include "catch.h"
#include "photos/fake_providers.h"
#include "service/house.h"
#include "service/thumbnails.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::service;
using affiche::test::contains;
using affiche::test::FakeProviders;
using affiche::test::Question;
using affiche::test::Reply;
using affiche::test::thrown;
using std::chrono::milliseconds;

namespace {

const std::vector<std::string> kAll = {"commons", "openverse", "loc",    "nasa",
                                       "flickr",  "unsplash",  "pexels", "pixabay"};

struct World {
  FakeProviders fake;
  test::TemporaryFolder folder;
  ManualClock clock{1'795'000'000'000};
  Config config;
  std::unique_ptr<store::Store> store;
  store::Artifacts artifacts{folder / "artifacts"};

  World() {
    for (const std::string& name : kAll) {
      ProviderConfig& own = config.photos.providers[name];
      own.base_url = fake.base(name);
      own.accept_terms = true;
      if (name == "openverse") continue;  // anonymous
      std::string variable = "AFFICHE_" + name + "_KEY";
      for (char& c : variable) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
      ::setenv(variable.c_str(), (name + "-key").c_str(), 1);
    }
    config.site.contact = "ops@site.example";
    config.photos.order = {"library"};
    config.photos.order.insert(config.photos.order.end(), kAll.begin(), kAll.end());
    config.photos.cache = folder / "cache";
    config.photos.decoder = AFFICHE_PICTURE_DECODER;
    config.photos.policy.also_allow = {"LicenseRef-Unsplash", "LicenseRef-Pexels",
                                       "LicenseRef-Pixabay", "LicenseRef-No-Known-Restrictions"};
    store = std::make_unique<store::Store>(folder / "affiche.db", clock);
  }
  // A new process each time: nothing but the disk is remembered.
  FoundPhoto find(const std::string& words) {
    return with([&](PhotoFinder& finder) { return finder.find(words, ""); });
  }
  FoundPhoto get(const std::string& reference) {
    return with([&](PhotoFinder& finder) { return finder.get(reference); });
  }
  template <typename Action>
  FoundPhoto with(Action action) {
    const PhotoLibrary library(config, *store, artifacts);
    PhotoSources sources(config, clock, [this](milliseconds time, const std::stop_token&) {
      clock.advance(time.count());
    });
    PhotoFinder finder(config, *store, artifacts, library, sources);
    return action(finder);
  }
  void only(const std::string& name) { config.photos.order = {name}; }
};

}  // namespace

TEST_CASE("a photograph of every provider comes with the right credit", "[finder]") {
  World world;
  const std::map<std::string, std::pair<std::string, std::string>> expected = {
      {"commons", {"PtrQs / Wikimedia Commons", "CC-BY-4.0"}},
      {"openverse", {"Tim Sullivan / StockSnap", "CC0-1.0"}},
      {"loc", {"moran, thomas / Library of Congress", "LicenseRef-No-Known-Restrictions"}},
      {"nasa", {"NASA JSC / NASA", "US-GOV"}},
      {"flickr", {"Sean MacEntee / Flickr", "CC-BY-4.0"}},
      {"unsplash", {"Brian Aguirre / Unsplash", "LicenseRef-Unsplash"}},
      {"pexels", {"Joey Farina / Pexels", "LicenseRef-Pexels"}},
      {"pixabay", {"Josch13 / Pixabay", "LicenseRef-Pixabay"}}};
  for (const auto& [name, credit] : expected) {
    INFO(name);
    world.only(name);
    const FoundPhoto found = world.find("lone tree");
    const Credit& given = found.photo.credit();
    INFO(credit_line(given));
    CHECK(contains(credit_line(given), "Photo: " + credit.first));
    CHECK(given.license == credit.second);
    CHECK(given.source_url.starts_with("https://"));
    const auto record = world.store->photo(found.id);
    REQUIRE(record);
    CHECK(record->width >= 960);
    CHECK(world.artifacts.get(found.id) == found.photo.encoded());
  }
  CHECK(world.fake.server.count("/unsplash/photos/Dwu85P9SOIk/download?ixid=M") == 1);
}

TEST_CASE("a batch of a hundred jobs ends well, asks politely, and a second run asks nobody",
          "[finder]") {
  World world;
  std::map<std::string, std::string> ids;
  const auto run = [&] {
    for (int job = 0; job < 100; ++job) {
      const std::string& name = kAll[static_cast<std::size_t>(job) % kAll.size()];
      world.only(name);
      const FoundPhoto found = world.find("lone tree");
      if (ids.contains(name)) CHECK(ids[name] == found.id);
      ids[name] = found.id;
    }
  };
  run();
  CHECK(ids.size() == kAll.size());
  std::map<std::string, int> questions;
  for (const auto& one : world.fake.server.asked()) {
    INFO(one.path);
    CHECK(contains(one.agent, "ops@site.example"));
    const std::string name = one.path.substr(1, one.path.find('/', 1) - 1);
    const bool keyed = name == "unsplash" || name == "pexels";
    const bool file = contains(one.path, "/files/");
    CHECK(one.token.empty() == (!keyed || file));
    if (!contains(one.path, "/download")) ++questions[name];
  }
  // A search and a file each; NASA also lists its files.
  for (const std::string& name : kAll) CHECK(questions[name] == (name == "nasa" ? 3 : 2));
  world.fake.server.forget();
  run();
  // Only the uses that its terms want to know.
  const auto later = world.fake.server.asked();
  CHECK(std::all_of(later.begin(), later.end(),
                    [](const auto& one) { return contains(one.path, "/download?ixid=M"); }));
}

TEST_CASE("what may not be used is never fetched", "[finder]") {
  World world;
  world.config.photos.policy = {};
  for (const char* name : {"unsplash", "pexels", "pixabay"}) {
    world.only(name);
    CHECK(contains(thrown([&] { world.find("lone tree"); }), "not_found: photo \"lone tree\""));
  }
  world.only("flickr");
  world.fake.spoil("flickr", [](Json& json) { json["photos"]["photo"][0]["license"] = "2"; });
  CHECK(contains(thrown([&] { world.find("lone tree"); }), "noncommercial"));
  for (const auto& one : world.fake.server.asked()) {
    INFO(one.path);
    CHECK_FALSE(contains(one.path, "/files/"));
    CHECK_FALSE(contains(one.path, "/download"));
  }
}

TEST_CASE("the next one is taken for a dead link, a lie about size and a picture that is none",
          "[finder]") {
  World world;
  world.only("commons");
  const auto url_of = [](Json& json, std::size_t page) -> Json& {
    return json["query"]["pages"][page]["imageinfo"][0]["thumburl"];
  };
  world.fake.server.get("/commons/html", [](const Question&, Reply& answer) {
    answer.set_content("<html>", "image/jpeg");
  });
  world.fake.spoil("commons", [&](Json& json) {  // in the order 2, 1, 3
    url_of(json, 1) = world.fake.base("commons") + "/nowhere.jpg";
    url_of(json, 0) = world.fake.file("commons", 500, 300);
  });
  CHECK(world.find("lone tree").photo.credit().title == "Lone tree 3");
  world.clock.advance(25 * 3'600'000);
  world.fake.spoil("commons", [&](Json& json) {
    for (std::size_t page : {0U, 1U, 2U}) url_of(json, page) = world.fake.base("commons") + "/html";
  });
  const std::string error = thrown([&] { world.find("lone tree"); });
  CHECK(contains(error, "not_found: "));
  CHECK(contains(error, "File:Tree 1.jpg"));
  CHECK(contains(error, "File:Tree 3.jpg"));
}

TEST_CASE("a provider that is down is passed over, and the job comes back if nobody else has one",
          "[finder]") {
  World world;
  world.fake.spoil("commons", [](Json& json) {
    json = {{"error", {{"code", "readonly"}, {"info", "for maintenance"}}}};
  });
  world.config.photos.order = {"commons", "flickr"};
  CHECK(world.find("lone tree").photo.credit().source == "Flickr");
  world.fake.spoil("flickr", [](Json& json) { json["photos"]["photo"] = Json::array(); });
  world.clock.advance(25 * 3'600'000);
  const std::string error = thrown([&] { world.find("lone tree"); });
  INFO(error);
  CHECK(contains(error, "unavailable: photo \"lone tree\""));
  CHECK(contains(error, "readonly"));
}

TEST_CASE("an index's picture is judged by its origin's record", "[finder]") {
  World world;
  world.config.photos.order = {"openverse", "commons"};
  world.fake.spoil("openverse", [](Json& json) {
    json["results"][0]["source"] = "wikimedia";
    json["results"][0]["foreign_landing_url"] =
        "https://commons.wikimedia.org/wiki/File:Tree_1.jpg";
  });
  const Credit credit = world.find("bark").photo.credit();
  CHECK(credit.source == "Wikimedia Commons");
  CHECK(credit.license == "CC-BY-4.0");
  CHECK(credit.author == "PtrQs");
  // The licence changed since the index read it.
  world.clock.advance(25 * 3'600'000);
  world.fake.spoil("commons", [](Json& json) {
    for (Json& page : json["query"]["pages"]) {
      Json& data = page["imageinfo"][0]["extmetadata"];
      data["License"]["value"] = "cc-by-nc-4.0";
      data["LicenseUrl"]["value"] = "https://creativecommons.org/licenses/by-nc/4.0";
    }
  });
  CHECK(contains(thrown([&] { world.find("bark"); }), "not_found: "));
}

TEST_CASE("a URL and an id name one picture", "[finder]") {
  World world;
  const std::string id = world.get("commons:File:Tree 1.jpg").id;
  CHECK(world.get("https://commons.wikimedia.org/wiki/File:Tree_1.jpg").id == id);
  CHECK(world.get("https://www.flickr.com/photos/smemon/4459771899/").photo.credit().author ==
        "Sean MacEntee");
  CHECK(contains(thrown([&] { world.get("commons:File:Gone.jpg"); }), "not_found: commons"));
  CHECK(contains(thrown([&] { world.get("https://elsewhere.example.org/a.jpg"); }), "usage: "));
  world.config.photos.order = {"library"};
  CHECK(contains(thrown([&] { world.get("commons:File:Tree 1.jpg"); }), "photos.order"));
}

TEST_CASE("the library is asked first, and what was fetched is of it", "[finder]") {
  World world;
  world.config.photos.order = {"library", "commons"};
  const FoundPhoto fetched = world.find("lone tree");
  world.fake.server.forget();
  world.clock.advance(Millis{60} * 86'400'000);
  CHECK(world.find("lone tree").id == fetched.id);
  CHECK(world.fake.server.asked().empty());
}

TEST_CASE("a photograph of the library is told of to a provider that counts uses", "[finder]") {
  World world;
  world.only("unsplash");
  const std::string id = world.find("lone tree").id;
  const char* trigger = "/unsplash/photos/Dwu85P9SOIk/download?ixid=M";
  CHECK(world.fake.server.count(trigger) == 1);
  const auto tell = [&] {
    world.with([&](PhotoFinder& finder) {
      finder.tell_use(id);
      return FoundPhoto{"", world.find("lone tree").photo};
    });
  };
  tell();
  CHECK(world.fake.server.count(trigger) == 3);  // find() tells by itself
  world.only("library");
  CHECK(contains(thrown(tell), "refused: photo " + id + ": unsplash wants to be told"));
}

TEST_CASE("what was considered is shown in small, by the way of any picture", "[finder]") {
  World world;
  world.only("flickr");
  const std::string small = world.fake.file("flickr", 320, 213, 40);
  world.fake.spoil("flickr", [&](Json& json) {
    Json& photos = json["photos"]["photo"];
    photos[0]["url_n"] = small;
    photos.push_back(photos[0]);
    photos[1]["id"] = "2";
    photos[1]["license"] = "2";
    photos.push_back(photos[0]);
    photos[2]["id"] = "3";
    photos[2]["url_n"] = world.fake.base("flickr") + "/nowhere.jpg";
    photos.push_back(photos[0]);
    photos[3]["id"] = "4";
    photos[3].erase("url_n");
  });
  const PhotoLibrary library(world.config, *world.store, world.artifacts);
  PhotoSources sources(world.config, world.clock, [&](milliseconds time, const std::stop_token&) {
    world.clock.advance(time.count());
  });
  PhotoFinder finder(world.config, *world.store, world.artifacts, library, sources);
  PhotoChoice choice(world.config, *world.store, library, places_of(world.config, sources, finder));
  std::vector<std::string> problems;
  const std::vector<Considered> all = choice.consider("exam", {}, problems);
  REQUIRE(all.size() == 4);
  const std::vector<Thumbnail> shown = thumbnails(all, sources, world.artifacts);
  REQUIRE(shown.size() == 4);
  for (std::size_t i = 0; i < shown.size(); ++i) {
    const std::string& id = all[i].candidate.source_id;
    INFO(id << ": " << shown[i].problem);
    CHECK(shown[i].picture.has_value() == (id == "4459771899" || id == "2"));
    if (shown[i].picture) CHECK(shown[i].picture->width == 320);
    if (id == "3") CHECK(contains(shown[i].problem, "404"));
    if (id == "4") CHECK(contains(shown[i].problem, "names no small copy"));
  }
  // Only small ones came.
  CHECK(world.fake.server.count("/flickr/files/2048x1366") == 0);
}

TEST_CASE("a folder of pictures needs neither import nor contact, and passes the locked room",
          "[finder]") {
  World world;
  world.config.site.contact.clear();
  world.config.photos.order = {"library", "pictures"};
  world.config.photos.providers["pictures"].folder = world.folder / "live";
  const auto put = [&](int shade) {
    const std::string bytes = test::fake_jpeg(1300, 900, shade);
    write_atomically(world.folder / "live/dune.jpg", std::string_view(bytes));
    write_atomically(world.folder / "live/dune.jpg.toml",
                     std::string_view("title = \"Dune\"\nauthor = \"A. Sand\"\nlicense = "
                                      "\"CC-BY-4.0\"\nchanges = [\"graded\"]\n"));
  };
  put(40);
  const FoundPhoto found = world.find("dune");
  CHECK(found.photo.credit().author == "A. Sand");
  CHECK(found.photo.credit().changes == std::vector<std::string>{"graded"});
  CHECK(found.photo.encoded() != read_bytes(world.folder / "live/dune.jpg"));  // encoded anew
  CHECK(world.get("pictures:dune.jpg").id == found.id);
  put(90);
  std::filesystem::last_write_time(
      world.folder / "live/dune.jpg",
      std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  CHECK(world.get("pictures:dune.jpg").id != found.id);
  CHECK(world.fake.server.asked().empty());
}

TEST_CASE("settings that a provider wants are asked for by name", "[finder]") {
  World world;
  world.only("unsplash");
  world.config.photos.providers["unsplash"].accept_terms = false;
  CHECK(contains(thrown([&] { world.find("x"); }), "photos.providers.unsplash.accept_terms"));
  world.only("commons");
  world.config.site.contact = "";
  CHECK(contains(thrown([&] { world.find("x"); }), "usage: site.contact"));
  world.config.site.contact = "ops@site.example";
  world.only("comons");
  CHECK(contains(thrown([&] { world.find("x"); }), "did you mean 'commons'"));
  CHECK(world.fake.server.asked().empty());
}
