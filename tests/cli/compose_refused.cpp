// SPDX-License-Identifier: Apache-2.0
// Cards that are not made, and licences.
#include <tuple>

#include "catch.h"
#include "cli/site.h"

using namespace affiche;
using namespace affiche::test;

TEST_CASE("no photograph goes onto a card without a credit or against its licence") {
  const Site site;
  site.add_dune();
  const Answer bare = site.run(card({"--photo", "dune.jpg", "--out", "a.jpg"}));
  CHECK(bare.code == 2);
  CHECK(bare.says("--credit"));
  for (const char* license : {"CC-BY-NC-4.0", "CC-BY-ND-4.0", "Mine-1.0", "CC-BY-SA-4.0"}) {
    site.write("other.json", sand_credit(license).dump());
    const Answer answer =
        site.run(card({"--photo", "dune.jpg", "--credit", "other.json", "--out", "a.jpg"}));
    INFO(license << ": " << answer.err);
    CHECK(answer.code == 1);
    CHECK(answer.err.starts_with("affiche: dune.jpg: "));
  }
  Json nameless = sand_credit();
  nameless.erase("author");
  site.write("other.json", nameless.dump());
  const Answer answer =
      site.run(card({"--photo", "dune.jpg", "--credit", "other.json", "--out", "a.jpg"}));
  CHECK(answer.code == 1);
  CHECK(answer.says("author"));
  CHECK_FALSE(std::filesystem::exists(site.folder / "a.jpg"));
}

TEST_CASE("the library's limits on photographs hold for single cards too") {
  const Site site;
  site.add_dune();
  site.write("config.toml", "[photos]\nmin_width = 1301\n");
  const Answer answer =
      site.run(card({"--photo", "dune.jpg", "--credit", "dune.json", "--out", "a.jpg"}));
  CHECK(answer.code == 1);
  CHECK(answer.says("photos.min_width"));
  CHECK_FALSE(std::filesystem::exists(site.folder / "a.jpg"));
}

TEST_CASE("a licence may be written as people write it and stands on the card in its short form") {
  const Site site;
  site.add_dune();
  for (const char* license : {"CC BY 4.0", "https://creativecommons.org/licenses/by/4.0/"}) {
    Json credit = sand_credit();
    credit["license"] = license;
    credit.erase("license_url");
    site.write("other.json", credit.dump());
    const Answer answer =
        site.run(card({"--photo", "dune.jpg", "--credit", "other.json", "--out", "a.jpg"}));
    INFO(license << ": " << answer.err);
    REQUIRE(answer.code == 0);
    const Json beside = parse_json(read_text(site.folder / "a.credits.json"), "credits");
    CHECK(beside.at("photo").at("license") == "CC-BY-4.0");
    CHECK(beside.at("photo").at("license_url") == "https://creativecommons.org/licenses/by/4.0/");
    CHECK(beside.at("credit_line") == "Photo: A. Sand / Own archive · CC BY 4.0 · cropped");
  }
}

TEST_CASE("what is missing or mistyped in a card is named") {
  const Site site;
  site.write("picture.jpg", "not a picture");
  site.write("dune.json", sand_credit().dump());
  const std::vector<std::tuple<std::vector<std::string>, int, std::string>> mistakes = {
      {{"compose", "--template", "plain", "--out", "a.jpg"}, 2, "headline"},
      {{"compose", "--template", "plian", "--out", "a.jpg"}, 1, "did you mean 'plain'?"},
      {{"compose", "--template", "plain", "--set", "headlin=A", "--out", "a.jpg"},
       2,
       "did you mean 'headline'?"},
      {card({}), 2, "--out"},
      {card({"--out", "a.gif"}), 2, "a.gif"},
      {card({"--set", "headline", "--out", "a.jpg"}), 2, "NAME=VALUE"},
      {card({"--photo", "none.jpg", "--credit", "dune.json", "--out", "a.jpg"}), 2, "none.jpg"},
      {card({"--photo", "picture.jpg", "--credit", "dune.json", "--out", "a.jpg"}), 2,
       "expected a JPEG, PNG or WebP"},
      {card({"--set", "headline=\xff", "--out", "a.jpg"}), 2, "UTF-8"},
  };
  for (const auto& [words, code, message] : mistakes) {
    const Answer answer = site.run(words);
    INFO(answer.err);
    CHECK(answer.code == code);
    CHECK(answer.says(message));
  }
}
