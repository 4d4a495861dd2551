// SPDX-License-Identifier: Apache-2.0
#include "service/outputs.h"

#include <set>

#include "base/error.h"
#include "catch.h"
#include "service/house.h"
#include "service/job_file.h"

using namespace affiche;
using namespace affiche::service;
using affiche::test::House;

namespace {

std::string refusal(const Json& list) {
  try {
    read_outputs(list, "outputs");
  } catch (const Error& error) {
    REQUIRE(error.cause() == Cause::BadInput);
    return error.what();
  }
  return "";
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

// One job of the drawn template, which asks for the outputs.
store::Job done_job(House& house, const Json& outputs, const Json& photo) {
  JobDefaults defaults;
  defaults.template_name = "news";
  defaults.brand = (test::kSource / "brands/harbour.toml").string();
  defaults.set = {{"headline", "Where the desert keeps its water"}};
  write_atomically(house.folder / "job.json", Json{{"outputs", outputs}, {"photo", photo}}.dump());
  const auto id =
      house.store.enqueue(read_jobs(house.folder / "job.json", defaults, house.config)).front().id;
  house.drain();
  return *house.store.job(id);
}

}  // namespace

TEST_CASE("outputs are texts or objects and mean the same") {
  const auto texts = read_outputs(Json("card.jpg, square.webp:200000  hero.avif:0"), "outputs");
  REQUIRE(texts.size() == 3);
  CHECK(label(texts[0]) == "card.jpg");
  CHECK(texts[0].budget == 300'000);
  CHECK(texts[1].format == cards::Format::Webp);
  CHECK(texts[1].budget == 200'000);
  CHECK(texts[2].size == kHeroSize);
  CHECK(texts[2].budget == 0);
  const Json objects = {{{"size", "card"}},
                        {{"size", "square"}, {"format", "webp"}, {"budget", 200'000}},
                        {{"size", "hero"}, {"format", "avif"}, {"budget", 0}}};
  CHECK(read_outputs(objects, "outputs") == texts);
  CHECK(read_outputs(parse_json(to_json(texts), "own"), "outputs") == texts);
  CHECK(read_outputs(Json::array(), "outputs").empty());
}

TEST_CASE("outputs that make no sense are refused with the remedy") {
  CHECK(has(refusal("card"), "SIZE.FORMAT"));
  CHECK(has(refusal("card.gif"), "jpg, png, webp or avif"));
  CHECK(has(refusal("card.jpg:1k"), "number of bytes"));
  CHECK(has(refusal("card.jpg:-1"), "0 to"));
  CHECK(has(refusal("../x.jpg"), "size"));
  CHECK(has(refusal({"card.jpg", "card.jpg"}), "occurs twice"));
  CHECK(has(refusal({{{"size", "card"}, {"budgets", 1}}}), "'budget'"));
  CHECK(has(refusal({{{"size", "card"}, {"quality", 0}}}), "1 to 100"));
  CHECK(has(refusal({{{"format", "jpg"}}}), "name of a size"));
  CHECK(has(refusal({1}), "found number"));
  CHECK(has(refusal(7), "expected a list"));
}

TEST_CASE("one job makes the whole set, each in its size, format and budget, in the ledger") {
  House house;
  const store::Job job = done_job(
      house, {"card.jpg", "square.webp", "story.jpg:90000", "hero.jpg", "wide.avif"}, "desert");
  REQUIRE(job.state == store::State::Done);
  REQUIRE(job.outputs.size() == 5);
  const std::vector<std::string> starts = {"card", "square", "story", "hero", "wide"};
  std::set<std::string> ledger;
  for (const store::CreditEntry& entry : house.store.credits()) ledger.insert(entry.card_path);
  for (std::size_t i = 0; i < 5; ++i) {
    const std::filesystem::path file = job.outputs[i];
    CAPTURE(file);
    CHECK(has(file.filename().string(), "its-water-" + starts[i] + "-"));
    CHECK(ledger.contains(file.string()));
    std::filesystem::path beside = file;
    CHECK(has(read_text(beside.replace_extension(".credits.json")), "A. Sand"));
  }
  CHECK(ledger.size() == 5);
  const auto decoded = [&](int i) { return cards::decode(read_bytes(job.outputs[i]), "card"); };
  CHECK(decoded(0).width == 1200);
  CHECK(decoded(1).height == 1200);
  CHECK(decoded(2).height == 1920);
  CHECK(decoded(3).width == 1600);
  CHECK(std::filesystem::file_size(job.outputs[2]) <= 90'000);
  CHECK(std::filesystem::path(job.outputs[4]).extension() == ".avif");
  // Nothing but the photograph is on the hero, and it says so.
  std::filesystem::path hero = job.outputs[3];
  CHECK_FALSE(
      has(read_text(hero.replace_extension(".credits.json")), "digitalsourcetype/composite"));
}

TEST_CASE("a set without a photograph has no hero, and nothing but a hero fails") {
  House house;
  const store::Job job = done_job(house, {"card.jpg", "hero.jpg"}, Json());
  CHECK(job.state == store::State::Done);
  CHECK(job.outputs.size() == 1);
  const store::Job alone = done_job(house, {"hero.jpg"}, Json());
  CHECK(alone.state == store::State::Dead);
  CHECK(has(alone.error, "photograph"));
}

TEST_CASE("a job's outputs are checked against its template when it is entered") {
  House house;
  JobDefaults defaults;
  defaults.template_name = "news";
  defaults.brand = (test::kSource / "brands/harbour.toml").string();
  const auto message = [&](const std::string& outputs, const std::string& out) -> std::string {
    defaults.outputs = outputs;
    defaults.out = out;
    try {
      single_job(defaults, house.config);
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  };
  CHECK(has(message("squire.jpg", ""), "'square'"));
  CHECK(has(message("card.jpg,wide.jpg", "one.jpg"), "need a folder"));
  CHECK(has(message("card.webp", "one.jpg"), "cannot be written to"));
  CHECK(message("card.webp", "one.webp").empty());
  defaults.template_name = "plain";
  CHECK(has(message("hero.jpg", ""), "no hero"));
}

TEST_CASE("the configuration's outputs are those of jobs that name none") {
  House house;
  house.config.cards.outputs = {"card.jpg", "pin.png"};
  JobDefaults defaults;
  defaults.template_name = "news";
  defaults.brand = (test::kSource / "brands/harbour.toml").string();
  defaults.set = {{"headline", "Tides"}};
  CHECK(read_outputs(parse_json(single_job(defaults, house.config).makes, "row"), "row").size() ==
        2);
  defaults.out = "one.jpg";
  CHECK(single_job(defaults, house.config).makes == "[]");
}
