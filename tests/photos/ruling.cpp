// SPDX-License-Identifier: Apache-2.0
#include "photos/ruling.h"

#include <functional>

#include "base/sha256.h"
#include "catch.h"
#include "photos/candidates.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::photos;
using test::a_candidate;
using test::thrown;

namespace {

constexpr Millis kNow = 2'000;

Candidate a_tree() {
  return a_candidate("commons", "cc-by-4.0");
}

std::string rule(const Candidate& candidate, const Policy& policy = {}) {
  const Decision decision = rule_on(candidate, policy, kNow).decision;
  return (decision.allowed ? "allowed: " : "refused: ") + decision.rule;
}

struct Quirk {
  const char* rule;
  std::function<void(Candidate&)> spoil;
};

const Quirk kQuirks[] = {
    {"allowed: attribution", [](Candidate&) {}},
    {"refused: no evidence", [](Candidate& c) { c.raw.clear(); }},
    {"refused: no evidence", [](Candidate& c) { c.answered_at = 0; }},
    {"refused: no evidence", [](Candidate& c) { c.landing_url.clear(); }},
    {"refused: objection", [](Candidate& c) { c.license.objections = {"NonFree"}; }},
    {"refused: objection", [](Candidate& c) { c.license.objections = {"DeletionReason: copy"}; }},
    {"refused: made by AI", [](Candidate& c) { c.ai = MadeByAi::Yes; }},
    {"allowed: attribution", [](Candidate& c) { c.ai = MadeByAi::No; }},
    {"refused: mature", [](Candidate& c) { c.mature = true; }},
    {"allowed: attribution", [](Candidate& c) { c.indexed = true; }},
    {"allowed: attribution", [](Candidate& c) { c.restrictions = {"personality"}; }},
    {"refused: restriction",
     [](Candidate& c) {
       c.restrictions = {"personality", "insignia"};
     }},
    {"refused: restriction", [](Candidate& c) { c.restrictions = {"trademarked"}; }},
    {"refused: no author", [](Candidate& c) { c.creator.clear(); }},
    {"refused: no author", [](Candidate& c) { c.creator = " \xe2\x80\xae "; }},
    {"allowed: attribution",
     [](Candidate& c) {
       c.creator.clear();
       c.attribution = "Ana";
     }},
    {"refused: contradiction",
     [](Candidate& c) { c.license.url = "https://creativecommons.org/licenses/by-nc/4.0/"; }},
    {"refused: missing", [](Candidate& c) { c.license.code.clear(); }},
    {"refused: unknown", [](Candidate& c) { c.license.code = "cc-by-9"; }},
    {"allowed: public domain",
     [](Candidate& c) {
       c.license.code = "cc0";
       c.creator.clear();
     }},
    {"allowed: attribution", [](Candidate& c) { c.title.clear(); }},
};

}  // namespace

TEST_CASE("each quirk of a record has its rule", "[ruling]") {
  int number = 0;
  for (const Quirk& quirk : kQuirks) {
    CAPTURE(number++);
    Candidate tree = a_tree();
    quirk.spoil(tree);
    CHECK(rule(tree) == quirk.rule);
  }
}

TEST_CASE("the operator's switches widen and narrow", "[ruling]") {
  Candidate tree = a_tree();
  tree.mature = true;
  tree.restrictions = {"Insignia"};
  Policy policy;
  policy.allow_mature = true;
  policy.restrictions = {"insignia"};
  CHECK(rule(tree, policy) == "allowed: attribution");
  tree.indexed = true;
  policy.require_origin = true;
  CHECK(rule(tree, policy) == "refused: second hand");
}

TEST_CASE("what was uploaded lately is refused until it has its age", "[ruling]") {
  constexpr Millis kDay = 86'400'000;
  constexpr Millis kToday = 20'000 * kDay;
  struct Row {
    const char* provider;
    const char* code;
    int days;  // since the upload; -1: not told
    int least;
    bool required;
    const char* rule;
  };
  const Row rows[] = {
      {"commons", "cc-by-4.0", 6, 7, false, "too young"},
      {"commons", "cc-by-4.0", 7, 7, false, "attribution"},
      {"commons", "cc0", 0, 7, false, "too young"},
      {"commons", "cc-by-4.0", 0, 0, false, "attribution"},
      {"commons", "cc-by-4.0", -1, 7, false, "attribution"},
      {"commons", "cc-by-4.0", -1, 7, true, "no upload date"},
      {"commons", "cc-by-4.0", 8, 7, true, "attribution"},
      {"commons", "cc-by-nc-4.0", 8, 7, true, "noncommercial"},
      {"flickr", "11", 29, 30, false, "too young"},
      {"flickr", "11", 30, 30, false, "attribution"},
      {"nasa", "", -1, 7, true, "no upload date"},
      {"folder", "CC-BY-4.0", -1, 7, true, "attribution"},
      {"pictures", "CC-BY-4.0", -1, 7, true, "attribution"},
      {"article", "CC-BY-4.0", -1, 7, true, "attribution"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.provider, row.code, row.days, row.least, row.required);
    Candidate tree = a_candidate(row.provider, row.code);
    tree.uploaded_at = row.days < 0 ? 0 : kToday - row.days * kDay;
    Policy policy;
    policy.minimum_age_days = row.least;
    policy.require_upload_date = row.required;
    const Ruling ruling = rule_on(tree, policy, kToday);
    CHECK(ruling.decision.rule == row.rule);
    CHECK(ruling.uploaded_at == tree.uploaded_at);
    CHECK(ruling_from_json(to_json(ruling), "it").uploaded_at == tree.uploaded_at);
  }
  // One that comes from the future is no older than one of today.
  Candidate tree = a_tree();
  tree.uploaded_at = kToday + kDay;
  const Decision decision = rule_on(tree, {}, kToday).decision;
  CHECK(decision.rule == "too young");
  CHECK(decision.reason.find("photos.minimum_age_days is 7") != std::string::npos);
}

TEST_CASE("a word of the lists names provider, picture, author, host or URL", "[ruling]") {
  const Candidate tree = a_tree();
  for (const char* word :
       {"commons", "Commons:17", "wikimedia commons", "ANA EXAMPLE", "photos.example",
        "www.photos.example", "people.example", "https://www.photos.example/1"}) {
    CAPTURE(word);
    CHECK(matches(tree, word));
    Policy policy;
    policy.never = {word};
    CHECK(rule(tree, policy) == "refused: never");
    policy = {};
    policy.only = {"somebody else", word};
    CHECK(rule(tree, policy) == "allowed: attribution");
  }
  for (const char* word : {"", "common", "17", "Ana", "otos.example", "example",
                           "https://photos.example/", "commons:1"}) {
    CAPTURE(word);
    CHECK_FALSE(matches(tree, word));
    Policy policy;
    policy.only = {word};
    CHECK(rule(tree, policy) == "refused: not in only");
  }
}

TEST_CASE("a ruling keeps its evidence and comes back from JSON", "[ruling]") {
  const Ruling made = rule_on(a_tree(), {}, kNow);
  CHECK(made.evidence_sha256 == sha256_hex(std::string_view("{\"id\":17}")));
  CHECK(made.evidence_at == 1'000);
  CHECK(made.claim == "cc-by-4.0");
  const Ruling read = ruling_from_json(to_json(made), "ruling");
  CHECK(to_json(read) == to_json(made));
  CHECK(read.decision.duties == made.decision.duties);
  CHECK(
      thrown([] { ruling_from_json("{\"allowed\":1}", "row 3"); }).starts_with("bad_input: row 3"));
}

TEST_CASE("the credit is cleaned and complete", "[ruling]") {
  Candidate tree = a_tree();
  tree.title = " Lone\n tree ";
  tree.attribution = "Photo by Ana\xe2\x80\xae Example";
  const Credit credit = credit_of(tree, rule_on(tree, {}, kNow));
  CHECK(credit.title == "Lone tree");
  CHECK(credit.author == "Ana Example");
  CHECK(credit.source == "Wikimedia Commons");
  CHECK(credit.source_url == tree.landing_url);
  CHECK(credit.license == "CC-BY-4.0");
  CHECK(credit.license_url == "https://creativecommons.org/licenses/by/4.0/");

  Candidate zero = a_candidate("commons", "cc0");
  zero.title = zero.creator = "";
  const Credit bare = credit_of(zero, rule_on(zero, {}, kNow));
  CHECK(bare.title == "Untitled");
  CHECK(bare.author == "Unknown author");
}

TEST_CASE("a credit is refused to what is not allowed and to odd links", "[ruling]") {
  Candidate tree = a_tree();
  tree.license.code = "cc-by-nc-4.0";
  CHECK(thrown([&] { credit_of(tree, rule_on(tree, {}, kNow)); }).starts_with("refused: "));
  Candidate odd = a_tree();
  odd.creator_url = "javascript:alert(1)";
  CHECK(thrown([&] {
          credit_of(odd, rule_on(odd, {}, kNow));
        }).starts_with("refused: photo: creator_url"));
}

TEST_CASE("names that run from right to left keep their places in the line", "[ruling]") {
  Credit credit;
  credit.title = "t";
  credit.author = "דוד כהן";
  credit.source = "ויקישיתוף";
  credit.license = "CC-BY-SA-4.0";
  credit.license_url = "https://creativecommons.org/licenses/by-sa/4.0/";
  CHECK(credit_line(credit) == "Photo: דוד כהן\xe2\x80\x8e / ויקישיתוף\xe2\x80\x8e · CC BY-SA 4.0");
  CHECK(card_license(credit) == "CC-BY-SA-4.0");
  credit.author = "Zoë 山田";
  CHECK(credit_line(credit).starts_with("Photo: Zoë 山田 / "));
}
