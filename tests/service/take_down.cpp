// SPDX-License-Identifier: Apache-2.0
#include "service/take_down.h"

#include <algorithm>
#include <map>

#include "catch.h"
#include "service/card_files.h"
#include "service/press.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::service;
using test::Press;
using test::thrown;

namespace {

std::string quoted(const std::string& text) {
  return Json(text).dump();
}

std::string photo_of(const Press& press, std::int64_t job) {
  const store::Stages stages = press.store.stages(job);
  const Json photo = Json::parse(stages.at("photo").detail).at("photo");
  return photo.is_null() ? "" : photo.at("id").get<std::string>();
}

// Each file, the card and its credits, of a job.
std::vector<std::filesystem::path> files_of(const Press& press, std::int64_t job) {
  std::vector<std::filesystem::path> files;
  const std::vector<std::string> outputs = press.store.job(job)->outputs;
  for (const std::string& path : outputs) {
    files.emplace_back(path);
    files.push_back(credits_path(path));
  }
  return files;
}

bool all_there(const std::vector<std::filesystem::path>& files) {
  return std::all_of(files.begin(), files.end(),
                     [](const auto& file) { return std::filesystem::exists(file); });
}

bool none_there(const std::vector<std::filesystem::path>& files) {
  return std::none_of(files.begin(), files.end(),
                      [](const auto& file) { return std::filesystem::exists(file); });
}

std::filesystem::path output(const Press& press, std::int64_t job) {
  return press.store.job(job)->outputs.at(0);
}

}  // namespace

TEST_CASE("a take-down makes exactly the affected cards again", "[takedown]") {
  Press press;
  const std::string dune = press.import("dune", "desert", 1);
  const std::string mesa = press.import("mesa", "desert", 2);
  const std::string pier = press.import("pier", "harbour", 3);
  std::vector<std::int64_t> jobs;
  for (int i = 0; i < 8; ++i) jobs.push_back(press.add("Sand " + std::to_string(i), "\"desert\""));
  jobs.push_back(press.add("By name", "{\"id\": " + quoted(dune) + "}"));
  jobs.push_back(press.add("Ships", "\"harbour\""));
  press.drain();

  std::map<std::int64_t, Bytes> before;
  std::set<std::int64_t> showing;
  for (const std::int64_t job : jobs) {
    before[job] = read_bytes(output(press, job));
    if (photo_of(press, job) == dune) showing.insert(job);
  }
  REQUIRE(showing.size() > 1);
  REQUIRE(showing.size() < jobs.size() - 1);
  const std::size_t rows = press.store.credits().size();

  press.clock.advance(60'000);
  const TakenDown down = take_down(press.store, dune, "asked by the author");
  CHECK(down.photos == std::set<std::string>{dune});
  std::set<std::int64_t> queued;
  for (const store::AffectedCard& card : down.cards) {
    CHECK(card.queued);
    queued.insert(card.job_id);
  }
  CHECK(queued == showing);

  std::map<std::int64_t, std::filesystem::path> paths;
  for (const std::int64_t job : jobs) paths[job] = output(press, job);
  const Summary summary = press.drain();
  CHECK(summary.done == static_cast<int>(showing.size()));
  for (const std::int64_t job : jobs) {
    CAPTURE(job);
    CHECK(press.store.job(job)->state == store::State::Done);
    CHECK(output(press, job) == paths[job]);
    CHECK((read_bytes(output(press, job)) != before[job]) == showing.contains(job));
    CHECK(photo_of(press, job) != dune);
  }
  CHECK(press.store.credits().size() >= rows);
  CHECK(take_down(press.store, dune, "again").cards.empty());
  CHECK(thrown([&] {
          PhotoLibrary(press.config, press.store, press.artifacts).get(dune);
        }).find("asked by the author") != std::string::npos);
}

TEST_CASE("a photograph that was taken down never comes in again", "[takedown]") {
  Press press;
  const std::string dune = press.import("dune", "desert", 1);
  take_down(press.store, dune.substr(0, 12), "wrong author");
  PhotoLibrary library(press.config, press.store, press.artifacts);
  CHECK(library.search("desert").empty());
  const auto report = library.import_folder(press.folder / "in");
  REQUIRE(report.size() == 1);
  CHECK(report[0].outcome == ImportedFile::Outcome::Refused);
  CHECK(report[0].reason.find("wrong author") != std::string::npos);
}

TEST_CASE("a card that another job has published over is left alone", "[takedown]") {
  Press press;
  const std::string dune = press.import("dune", "desert", 1);
  press.import("pier", "harbour", 3);
  const std::string path = press.folder / "same.jpg";
  press.add("Old", "\"desert\"", path);
  press.drain();
  press.add("New", "\"harbour\"", path);
  press.drain();
  const Bytes card = read_bytes(path);
  CHECK(take_down(press.store, dune, "why").cards.empty());
  press.drain();
  CHECK(read_bytes(path) == card);
}

TEST_CASE("cards whose job is gone are named, once each", "[takedown]") {
  Press press;
  const std::string dune = press.import("dune", "desert", 1);
  const std::int64_t job = press.add("Sand", "\"desert\"");
  press.drain();
  const std::string card = output(press, job);
  press.clock.advance(1'000);
  press.store.prune(std::array{store::State::Done}, press.clock.now());
  const TakenDown down = take_down(press.store, "https://archive.example/dune", "why");
  CHECK(down.photos == std::set<std::string>{dune});
  REQUIRE(down.cards.size() == 1);
  CHECK(down.cards[0].job_id == 0);
  CHECK(down.cards[0].card_path == card);
  CHECK_FALSE(down.cards[0].queued);
  // Nobody will make it again, so it does not stay.
  CHECK(down.removed == std::vector<std::string>{card});
  CHECK_FALSE(std::filesystem::exists(card));
  CHECK_FALSE(std::filesystem::exists(credits_path(card)));
}

TEST_CASE("a card that finds no other photograph is taken off its place", "[takedown]") {
  Press press("fail");
  const std::string dune = press.import("dune", "desert", 1);
  press.import("pier", "harbour", 3);
  const std::int64_t job = press.add("Sand", "\"desert\"");
  const std::int64_t other = press.add("Ships", "\"harbour\"");
  press.drain();
  const std::filesystem::path card = output(press, job), kept = output(press, other);
  REQUIRE(std::filesystem::exists(card));
  const Bytes before = read_bytes(kept);
  CHECK(take_down(press.store, dune, "why").removed.empty());
  press.drain();
  CHECK(press.store.job(job)->state == store::State::Dead);
  CHECK_FALSE(std::filesystem::exists(card));
  CHECK_FALSE(std::filesystem::exists(credits_path(card)));
  CHECK(read_bytes(kept) == before);
}

TEST_CASE("every file of a set goes when its photograph does", "[takedown]") {
  const bool named = GENERATE(false, true);
  CAPTURE(named);
  Press press;
  const std::string dune = press.import("dune", "desert", 1);
  const std::string set = "card.jpg card.png card.webp";
  const std::string place = named ? press.folder / "site" / "" : "";
  const std::int64_t job = press.add("Sand", "\"desert\"", place, set);
  press.drain();
  const auto before = files_of(press, job);
  REQUIRE(before.size() == 6);
  REQUIRE(all_there(before));

  const std::string pier = press.import("pier", "desert", 3);
  const TakenDown down = take_down(press.store, dune, "why");
  REQUIRE(down.cards.size() == 3);
  for (const store::AffectedCard& card : down.cards) {
    CHECK(card.job_id == job);
    CHECK(card.queued);
  }
  CHECK(down.removed.empty());
  press.drain();
  CHECK(none_there(before));
  const auto after = files_of(press, job);
  CHECK(after.size() == 6);
  CHECK(all_there(after));
  CHECK(photo_of(press, job) == pier);
  const std::vector<std::string> remade = press.store.job(job)->outputs;
  for (const std::string& path : remade) {
    CHECK(press.store.credits_of_card(path).front().photo_id == pier);
  }
  CHECK(take_down(press.store, dune, "again").cards.empty());
}

TEST_CASE("no file of a set stays when no other photograph is found", "[takedown]") {
  Press press("fail");
  const std::string dune = press.import("dune", "desert", 1);
  const std::int64_t job = press.add("Sand", "\"desert\"", "", "card.jpg card.png");
  press.drain();
  const auto before = files_of(press, job);
  REQUIRE(all_there(before));
  take_down(press.store, dune, "why");
  press.drain();
  CHECK(press.store.job(job)->state == store::State::Dead);
  CHECK(none_there(before));
}

TEST_CASE("a set that another job has published over in part loses the rest", "[takedown]") {
  Press press;
  const std::string dune = press.import("dune", "desert", 1);
  press.import("pier", "harbour", 3);
  const std::int64_t old = press.add("Old", "\"desert\"", "", "card.jpg card.png");
  press.drain();
  const std::vector<std::string> outputs = press.store.job(old)->outputs;
  REQUIRE(outputs.size() == 2);
  press.add("New", "\"harbour\"", outputs[0]);
  press.drain();
  const Bytes newer = read_bytes(outputs[0]);

  const TakenDown down = take_down(press.store, dune, "why");
  REQUIRE(down.cards.size() == 1);
  CHECK(down.cards[0].card_path == outputs[1]);
  CHECK_FALSE(down.cards[0].queued);
  CHECK(down.removed == std::vector<std::string>{outputs[1]});
  CHECK_FALSE(std::filesystem::exists(outputs[1]));
  CHECK(press.drain().done == 0);
  CHECK(read_bytes(outputs[0]) == newer);
}

TEST_CASE("only what affiche published is ever removed", "[takedown]") {
  Press press;
  const std::string dune = press.import("dune", "desert", 1);
  const std::int64_t job = press.add("Sand", "\"desert\"");
  press.drain();
  const std::filesystem::path card = output(press, job);
  CHECK_FALSE(withdraw(press.store, card));  // no take-down
  press.clock.advance(1'000);
  press.store.prune(std::array{store::State::Done}, press.clock.now());
  write_atomically(card, std::string_view("somebody's own"));
  CHECK(take_down(press.store, dune, "why").removed.empty());
  CHECK(read_text(card) == "somebody's own");
  CHECK_FALSE(withdraw(press.store, press.folder / "nowhere.jpg"));
  CHECK_FALSE(withdraw(press.store, press.folder.path()));
}

TEST_CASE("a take-down names what it cannot find", "[takedown]") {
  Press press;
  press.import("dune", "desert", 1);
  CHECK(thrown([&] { take_down(press.store, "0123456789ab", "why"); }).starts_with("not_found: "));
  CHECK(thrown([&] { take_down(press.store, "dune", "why"); }).starts_with("usage: "));
  CHECK(thrown([&] { take_down(press.store, "flickr:17", ""); }).starts_with("usage: "));
  CHECK(take_down(press.store, "flickr:17", "why").photos.empty());
  CHECK(take_down(press.store, "http://photos.example/9#top", "why").targets ==
        std::vector<std::string>{"url:https://photos.example/9"});
  photos::Candidate candidate;
  candidate.provider = "flickr";
  candidate.source_id = "18";
  candidate.landing_url = "https://photos.example/9";
  const auto found = press.store.revoked(targets_of(candidate));
  REQUIRE(found);
  CHECK(found->target == "url:https://photos.example/9");
}

TEST_CASE("a job that is at work when its photograph is taken down chooses again", "[takedown]") {
  Press press;
  const std::string dune = press.import("dune", "desert", 1);
  const std::string mesa = press.import("mesa", "desert", 2);
  const std::int64_t job = press.add("Sand", "\"desert\"");
  const auto claimed = press.store.claim("w", 60'000);
  REQUIRE(claimed);
  const std::string detail = Json{{"photo", {{"id", dune}}}}.dump();
  REQUIRE(press.store.record_stage(claimed->claim, {"photo", dune, detail, 1}));
  const TakenDown down = take_down(press.store, dune, "why");
  REQUIRE(down.cards.size() == 1);
  CHECK(down.cards[0].card_path.empty());
  CHECK(press.store.stages(job).empty());

  store::CreditEntry entry;
  entry.card_path = "card.jpg";
  entry.card_sha256 = entry.photo_id = dune;
  entry.credit = press.store.photo(dune)->credit;
  entry.line = "line";
  CHECK_FALSE(press.store.complete(claimed->claim, {"publish", "", "{}", 1}, {"card.jpg"},
                                   std::array{entry}));
  CHECK(press.store.credits().empty());
  CHECK(press.store.job(job)->state == store::State::Queued);
  CHECK(press.store.job(job)->attempts == 0);
  press.drain();
  CHECK(photo_of(press, job) == mesa);
}

TEST_CASE("the ledger names the site and the evidence of each photograph", "[takedown]") {
  Press press;
  const std::string dune = press.import("dune", "desert", 1);
  press.add("Sand", "\"desert\"");
  press.drain();
  const auto ledger = press.store.credits();
  REQUIRE(ledger.size() == 1);
  CHECK(ledger[0].site == "https://site.example");
  const auto evidence = press.store.evidence(dune);
  REQUIRE(evidence.size() == 1);
  CHECK(ledger[0].evidence_sha256 == evidence[0].sha256);
  CHECK(evidence[0].raw.find("license = \"CC-BY-4.0\"") != std::string::npos);
  CHECK(Json::parse(evidence[0].ruling).at("allowed") == true);
}
