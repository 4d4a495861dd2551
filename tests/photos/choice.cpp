// SPDX-License-Identifier: Apache-2.0
#include "photos/choice.h"

#include "catch.h"
#include "photos/candidates.h"

using namespace affiche;
using namespace affiche::photos;

namespace {

Candidate picture(const std::string& title, int width, int height) {
  Candidate made = test::a_candidate("commons", "cc-by-4.0");
  made.title = title;
  made.width = width;
  made.height = height;
  return made;
}

Needs wide() {
  Needs needs;
  needs.query = "old bridge";
  needs.width = 1200;
  needs.height = 630;
  return needs;
}

Fit fit_of(const Candidate& candidate, const Needs& needs, const Lately& lately = {}) {
  return fit(candidate, rule_on(candidate, {}, 2'000), needs, lately, 0);
}

}  // namespace

TEST_CASE("a picture that would be enlarged too much is refused", "[choice]") {
  CHECK(fit_of(picture("old bridge", 1200, 630), wide()).kept);
  CHECK(fit_of(picture("old bridge", 1000, 525), wide()).kept);
  const Fit small = fit_of(picture("old bridge", 990, 660), wide());
  CHECK_FALSE(small.kept);
  CHECK(small.reason == "it has 990×660 pixels and would be enlarged 1.2 times");
  CHECK(fit_of(picture("old bridge", 600, 400), wide()).reason ==
        "it is 600 pixels wide, photos.min_width is 640");
  CHECK(fit_of(picture("old bridge", 0, 0), wide()).kept);  // the bytes will tell
}

TEST_CASE("a picture of which too little would be shown is refused", "[choice]") {
  CHECK(fit_of(picture("old bridge", 2000, 3000), wide()).kept);
  CHECK(fit_of(picture("old bridge", 1300, 9000), wide()).reason ==
        "the card would show only 8 % of it");
  CHECK_FALSE(fit_of(picture("old bridge", 9000, 700), wide()).kept);
  Needs any;
  CHECK(fit_of(picture("old bridge", 9000, 700), any).kept);
}

TEST_CASE("shared words count more than pixels, and pixels more than nothing", "[choice]") {
  const double both = fit_of(picture("An old bridge", 1300, 690), wide()).score;
  const double one = fit_of(picture("A bridge", 6000, 3150), wide()).score;
  const double none = fit_of(picture("A cat", 6000, 3150), wide()).score;
  CHECK(both > one);
  CHECK(one > none);
  CHECK(fit_of(picture("old bridge", 4000, 2100), wide()).score >
        fit_of(picture("old bridge", 1200, 630), wide()).score);
  CHECK(fit_of(picture("old bridge", 2400, 1260), wide()).score >
        fit_of(picture("old bridge", 2400, 3200), wide()).score);
}

TEST_CASE("authors of the last cards step back", "[choice]") {
  Lately lately;
  lately.authors = {"Ana Example", "Somebody", "Ana Example"};
  const Candidate ours = picture("old bridge", 2400, 1260);
  CHECK(fit_of(ours, wide(), lately).score < fit_of(ours, wide()).score);
}

TEST_CASE("what the licence refuses is never kept, whatever its score", "[choice]") {
  Candidate closed = picture("old bridge", 2400, 1260);
  closed.license.code = "cc-by-nc-4.0";
  const Fit fit = fit_of(closed, wide());
  CHECK_FALSE(fit.kept);
  CHECK(fit.rule == "noncommercial");
  const std::vector<Fit> fits = {fit, fit_of(picture("old bridge", 1200, 630), wide()),
                                 fit_of(picture("old bridge", 4000, 2100), wide())};
  CHECK(best_first(fits) == std::vector<std::size_t>{2, 1});
}

TEST_CASE("equals are ordered by the job, the same way each time", "[choice]") {
  std::set<int> firsts;
  for (int job = 0; job < 20; ++job) {
    Needs needs = wide();
    needs.salt = "job " + std::to_string(job);
    std::vector<Fit> fits;
    for (int i = 0; i < 4; ++i) {
      Candidate one = picture("old bridge", 2400, 1260);
      one.source_id = std::to_string(i);
      fits.push_back(fit_of(one, needs));
    }
    const auto order = best_first(fits);
    CHECK(order == best_first(fits));
    firsts.insert(static_cast<int>(order[0]));
  }
  CHECK(firsts.size() > 2);
}

TEST_CASE("pixels can refuse a picture, and a lookalike was used lately", "[choice]") {
  CHECK(unfit({0, 0.5, 0.9}).empty());
  CHECK(unfit({0, 0.01, 0.9}) == "nothing in it is in focus");
  CHECK(unfit({0, 0.5, 0.01}) == "it is almost black, or almost white");
  Lately lately;
  lately.photos = {"a"};
  lately.prints = {0xff00};
  CHECK(used_lately("a", {0, 1, 1}, lately));
  CHECK(used_lately("b", {0xff03, 1, 1}, lately));
  CHECK_FALSE(used_lately("b", {0x00ff, 1, 1}, lately));
}
