// SPDX-License-Identifier: Apache-2.0
#include "service/photo_choice.h"

#include <functional>
#include <utility>

#include "catch.h"
#include "photos/candidates.h"
#include "service/fake_provider.h"
#include "service/press.h"
#include "service/take_down.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::service;
using test::FakeProvider;
using test::Press;
using test::thrown;

namespace {

struct Market : Press {
  FakeProvider commons{"commons"};
  FakeProvider openverse{"openverse"};
  std::uint32_t seed = 100;
  std::function<void()> meanwhile;  // once, while a picture is taken

  photos::Candidate& offer(FakeProvider& provider, const std::string& id, const std::string& title,
                           const std::string& code = "cc-by-4.0", int width = 900) {
    photos::Candidate made = test::a_candidate(provider.name(), code);
    made.source_id = id;
    made.title = title;
    made.landing_url = "https://" + provider.name() + ".example/" + id;
    made.file_url = made.landing_url + ".jpg";
    made.width = 900;
    made.height = 640;
    provider.files[made.file_url] = test::press_jpeg(width, 640, ++seed);
    provider.records.push_back(made);
    return provider.records.back();
  }
  PhotoLibrary library{config, store, artifacts};

  PhotoChoice choice() {
    PhotoPlaces places;
    places.order = {kLibraryPlace, "commons", "openverse"};
    places.provider = [this](const std::string& name) -> photos::Provider* {
      return name == "commons" ? &commons : name == "openverse" ? &openverse : nullptr;
    };
    places.take = [this](photos::Provider& provider, const photos::Candidate& candidate,
                         const photos::Ruling& ruling, const std::vector<std::string>& words,
                         const PhotoPlaces::Look& look, std::stop_token stop) {
      return take(provider, candidate, ruling, words, look, stop);
    };
    return {config, store, library, std::move(places)};
  }
  FoundPhoto take(photos::Provider& provider, const photos::Candidate& candidate,
                  const photos::Ruling& ruling, const std::vector<std::string>& words,
                  const PhotoPlaces::Look& look, std::stop_token stop) {
    const photos::Fetched fetched = provider.fetch(candidate, stop);
    refuse_taken_down(store, fetched.sha256, candidate.source_id);
    look(cards::decode(fetched.bytes, candidate.source_id));
    store::PhotoRecord record;
    record.id = fetched.sha256;
    record.credit = photos::credit_of(candidate, ruling);
    record.keywords = words;
    record.width = fetched.width;
    record.height = fetched.height;
    record.media_type = fetched.media_type;
    artifacts.put(fetched.bytes);
    store.put_photo(record);
    store.add_evidence({0, record.id, candidate.provider, candidate.source_id,
                        candidate.landing_url, candidate.file_url, photos::to_json(ruling),
                        candidate.raw, "", candidate.answered_at});
    provider.used(candidate, stop);
    if (const auto now = std::exchange(meanwhile, nullptr)) now();
    return {record.id, Photo(fetched.bytes, record.credit)};
  }
  ChoiceRequest bridge() {
    ChoiceRequest request;
    request.queries = {"bridge"};
    request.width = 600;
    request.height = 315;
    return request;
  }
};

}  // namespace

TEST_CASE("the first provider with a lawful picture gives it, with its evidence", "[choice]") {
  Market market;
  market.offer(market.commons, "1", "bridge", "cc-by-nd-4.0");
  market.offer(market.commons, "2", "bridge");
  market.offer(market.openverse, "3", "bridge", "cc0");
  PhotoChoice choice = market.choice();
  const FoundPhoto found = choice.choose(market.bridge());
  CHECK(found.photo.credit().source_url == "https://commons.example/2");
  CHECK(market.commons.fetches == 1);
  CHECK(market.openverse.searches == 0);
  CHECK(market.commons.used_ids == std::vector<std::string>{"2"});
  const auto evidence = market.store.evidence(found.id);
  REQUIRE(evidence.size() == 1);
  CHECK(evidence[0].source_id == "2");
  CHECK(Json::parse(evidence[0].ruling).at("rule") == "attribution");
  CHECK(market.store.photo(found.id)->credit == found.photo.credit());
  CHECK(market.store.measures(found.id).has_value());
}

TEST_CASE("a picture that was fetched once is of the library, and nothing is asked", "[choice]") {
  Market market;
  market.offer(market.commons, "1", "bridge");
  const std::string id = market.choice().choose(market.bridge()).id;
  const FoundPhoto again = market.choice().choose(market.bridge());
  CHECK(again.id == id);
  CHECK(market.commons.fetches == 1);
  CHECK(market.commons.searches == 1);
}

TEST_CASE("bytes that are smaller, dark or blurred are passed over", "[choice]") {
  Market market;
  market.offer(market.commons, "1", "bridge", "cc-by-4.0", 480);
  photos::Candidate& dark = market.offer(market.commons, "2", "bridge");
  market.commons.files[dark.file_url] =
      cards::encode(make_image(900, 640, 3), cards::Format::Jpeg).bytes;
  market.offer(market.commons, "3", "bridge");
  market.commons.files.erase("https://commons.example/3.jpg");  // a dead link
  market.offer(market.commons, "4", "bridge");
  const FoundPhoto found = market.choice().choose(market.bridge());
  CHECK(found.photo.credit().source_url == "https://commons.example/4");
}

TEST_CASE("an index is believed only where its origin cannot be asked", "[choice]") {
  Market market;
  photos::Candidate& one = market.offer(market.openverse, "x", "bridge", "by");
  one.license.version = "4.0";
  one.indexed = true;
  one.origin_check = "commons";
  one.landing_url = "https://commons.example/1";
  market.offer(market.commons, "1", "closed", "cc-by-nc-4.0");
  const std::string error = thrown([&] { market.choice().choose(market.bridge()); });
  CHECK(error.starts_with("not_found: "));
  CHECK(error.find("its origin says otherwise") != std::string::npos);
  CHECK(market.openverse.fetches == 0);
  CHECK(market.commons.fetches == 0);

  market.commons.records[0].license.code = "cc-by-4.0";
  const FoundPhoto found = market.choice().choose(market.bridge());
  CHECK(found.photo.credit().title == "closed");
  CHECK(market.store.evidence(found.id)[0].provider == "commons");
}

TEST_CASE("what was taken down never comes, under any of its names", "[choice]") {
  Market market;
  market.offer(market.commons, "1", "bridge");
  take_down(market.store, "commons:1", "asked");
  CHECK(thrown([&] { market.choice().choose(market.bridge()); }).find("asked") !=
        std::string::npos);
  CHECK(market.commons.fetches == 0);

  const photos::Candidate& same = market.offer(market.commons, "2", "bridge");
  take_down(market.store, sha256_hex(market.commons.files[same.file_url]), "the bytes");
  CHECK(thrown([&] { market.choice().choose(market.bridge()); }).find("the bytes") !=
        std::string::npos);
}

TEST_CASE("a batch gets different pictures as long as there are some", "[choice]") {
  Market market;
  for (int i = 0; i < 4; ++i) market.offer(market.commons, std::to_string(i), "bridge");
  // The same picture in another size, under another name.
  const photos::Candidate& twin = market.offer(market.commons, "twin", "bridge");
  market.commons.files[twin.file_url] = test::press_jpeg(1200, 853, 101);
  PhotoChoice choice = market.choice();
  std::set<std::string> chosen;
  for (int i = 0; i < 4; ++i) chosen.insert(choice.choose(market.bridge()).id);
  CHECK(chosen.size() == 4);
  const int fetches = market.commons.fetches;
  CHECK(chosen.contains(choice.choose(market.bridge()).id));
  CHECK(market.commons.fetches <= fetches + 1);  // the twin, looked at and passed over
}

TEST_CASE("two workers that choose at once get different pictures", "[choice]") {
  Market market;
  for (int i = 0; i < 2; ++i) market.offer(market.commons, std::to_string(i), "bridge");
  PhotoChoice choice = market.choice();
  std::string inner;
  market.meanwhile = [&] { inner = choice.choose(market.bridge()).id; };
  const std::string outer = choice.choose(market.bridge()).id;
  CHECK_FALSE(inner.empty());
  CHECK(inner != outer);
}

TEST_CASE("a provider that is down is told as such, so that the job is tried again", "[choice]") {
  Market market;
  market.commons.down = true;
  CHECK(thrown([&] { market.choice().choose(market.bridge()); }).starts_with("unavailable: "));
  market.offer(market.openverse, "3", "bridge", "cc0");
  CHECK(market.choice().choose(market.bridge()).photo.credit().license == "CC0-1.0");
}

TEST_CASE("what would be looked at is listed with the reason for each refusal", "[choice]") {
  Market market;
  const std::string dune = market.import("bridges", "bridge", 1);
  market.offer(market.commons, "1", "bridge", "cc-by-nc-4.0");
  market.offer(market.commons, "2", "bridge");
  market.openverse.down = true;
  std::vector<std::string> problems;
  const auto all = market.choice().consider("bridge", market.bridge(), problems);
  REQUIRE(all.size() == 3);
  CHECK(all[0].fit.kept);
  CHECK(all[1].fit.kept);
  CHECK_FALSE(all[2].fit.kept);
  CHECK(all[2].candidate.source_id == "1");
  CHECK_FALSE(all[2].fit.reason.empty());
  CHECK(problems.size() == 1);
  CHECK(market.commons.fetches == 0);
}

TEST_CASE("a job without a query gets a picture by its own words", "[choice]") {
  Market market;
  market.import("rhine", "Rhine bridge", 1);
  const std::int64_t job = market.add("Why the new bridge over the Rhine took ten years",
                                      "{\"auto\": true, \"language\": \"en\"}");
  market.drain();
  const store::Stages stages = market.store.stages(job);
  CHECK(Json::parse(stages.at("photo").detail).at("photo").at("credit").at("title") == "rhine");
}
