// SPDX-License-Identifier: Apache-2.0
#include "photos/licenses.h"

#include "catch.h"

using namespace affiche::photos;

namespace {

struct Row {
  const char* given;
  const char* id;
  const char* rule;  // by the default policy
};

Policy everything() {
  Policy policy;
  policy.allow_old_versions = policy.allow_sharealike = true;
  return policy;
}

std::string rule(const char* given, const Policy& policy = {}) {
  const Decision decision = decide(read_license(given), policy);
  return (decision.allowed ? "allowed: " : "refused: ") + decision.rule;
}

}  // namespace

TEST_CASE("each row of the table of licences", "[licenses]") {
  const Row rows[] = {
      {"CC0-1.0", "CC0-1.0", "allowed: public domain"},
      {"cc0", "CC0-1.0", "allowed: public domain"},
      {"https://creativecommons.org/publicdomain/zero/1.0/deed.en", "CC0-1.0",
       "allowed: public domain"},
      {"PDM", "PDM-1.0", "allowed: public domain"},
      {"http://creativecommons.org/publicdomain/mark/1.0/", "PDM-1.0", "allowed: public domain"},
      {"US-GOV", "US-GOV", "allowed: public domain"},
      {"CC-BY-4.0", "CC-BY-4.0", "allowed: attribution"},
      {" cc by 4.0 ", "CC-BY-4.0", "allowed: attribution"},
      {"by/4.0", "CC-BY-4.0", "allowed: attribution"},
      {"https://www.creativecommons.org/licenses/by/4.0/legalcode", "CC-BY-4.0",
       "allowed: attribution"},
      {"CC BY 4.0 International", "CC-BY-4.0", "allowed: attribution"},
      {"CC-BY-3.0", "CC-BY-3.0", "refused: old version"},
      {"CC BY 2.0", "CC-BY-2.0", "refused: old version"},
      {"https://creativecommons.org/licenses/by/3.0/de/", "CC-BY-3.0-DE", "refused: old version"},
      {"CC-BY-SA-4.0", "CC-BY-SA-4.0", "refused: sharealike"},
      {"cc-by-sa-3.0", "CC-BY-SA-3.0", "refused: old version"},
      {"CC-BY-NC-4.0", "CC-BY-NC-4.0", "refused: noncommercial"},
      {"CC BY-NC-SA 2.0", "CC-BY-NC-SA-2.0", "refused: noncommercial"},
      {"CC-BY-ND-4.0", "CC-BY-ND-4.0", "refused: noderivatives"},
      {"CC BY-ND-NC 1.0", "CC-BY-NC-ND-1.0", "refused: noncommercial"},
      {"CC BY", "CC-BY", "refused: no version"},
      {"CC-BY-5.0", "CC-BY-5.0", "refused: unknown"},
      {"CC Sampling Plus 1.0", "CC Sampling Plus 1.0", "refused: unknown"},
      {"GPL-2.0-or-later", "GPL-2.0-or-later", "refused: unknown"},
      {"all rights reserved", "all rights reserved", "refused: unknown"},
      {"https://evil.example/creativecommons.org/licenses/by/4.0/",
       "https://evil.example/creativecommons.org/licenses/by/4.0/", "refused: unknown"},
      {"", "", "refused: missing"},
      {"   ", "", "refused: missing"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.given);
    CHECK(read_license(row.given).id == row.id);
    CHECK(rule(row.given) == row.rule);
  }
}

TEST_CASE("the policy widens only what it names", "[licenses]") {
  Policy old;
  old.allow_old_versions = true;
  REQUIRE(rule("CC-BY-2.0", old) == "allowed: attribution");
  REQUIRE(rule("CC-BY-SA-3.0", old) == "refused: sharealike");
  Policy share;
  share.allow_sharealike = true;
  REQUIRE(rule("CC-BY-SA-4.0", share) == "allowed: sharealike");
  REQUIRE(rule("CC-BY-SA-3.0", share) == "refused: old version");
  REQUIRE(rule("CC-BY-SA-3.0", everything()) == "allowed: sharealike");
  Policy named;
  named.also_allow = {"GPL-2.0-or-later", "cc by-sa 3.0"};
  REQUIRE(rule("GPL-2.0-or-later", named) == "allowed: also allowed");
  REQUIRE(rule("CC-BY-SA-3.0", named) == "allowed: also allowed");
  REQUIRE(rule("GPL-3.0-or-later", named) == "refused: unknown");
}

TEST_CASE("NC and ND are refused whatever the policy says", "[licenses]") {
  Policy policy = everything();
  policy.also_allow = {"CC-BY-NC-4.0", "CC-BY-ND-4.0"};
  REQUIRE(rule("CC-BY-NC-4.0", policy) == "refused: noncommercial");
  REQUIRE(rule("CC-BY-ND-4.0", policy) == "refused: noderivatives");
}

TEST_CASE("known licences bring the URL of their deed", "[licenses]") {
  REQUIRE(read_license("CC-BY-SA-3.0").url == "https://creativecommons.org/licenses/by-sa/3.0/");
  REQUIRE(read_license("CC-BY-3.0-DE").url == "https://creativecommons.org/licenses/by/3.0/de/");
  REQUIRE(read_license("GPL-2.0-or-later").url.empty());
}
