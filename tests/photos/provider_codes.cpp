// SPDX-License-Identifier: Apache-2.0
#include "photos/provider_codes.h"

#include <map>
#include <set>

#include "base/files.h"
#include "catch.h"

using namespace affiche;
using namespace affiche::photos;

namespace {

struct Row {
  const char* provider;
  const char* code;
  const char* version;
  const char* id;
  const char* rule;  // by the default policy
  const char* row;   // the table's code, where it is not `code`
};

// By hand, from the providers' documents: not made from the table.
const Row kRows[] = {
    {"openverse", "cc0", "1.0", "CC0-1.0", "allowed: public domain", nullptr},
    {"openverse", "pdm", "1.0", "PDM-1.0", "allowed: public domain", nullptr},
    {"openverse", "by", "4.0", "CC-BY-4.0", "allowed: attribution", nullptr},
    {"openverse", "by", "2.0", "CC-BY-2.0", "refused: old version", nullptr},
    {"openverse", "by", "", "CC-BY", "refused: no version", nullptr},
    {"openverse", "by-sa", "4.0", "CC-BY-SA-4.0", "refused: sharealike", nullptr},
    {"openverse", "by-nc", "4.0", "CC-BY-NC-4.0", "refused: noncommercial", nullptr},
    {"openverse", "by-nd", "4.0", "CC-BY-ND-4.0", "refused: noderivatives", nullptr},
    {"openverse", "by-nc-sa", "2.0", "CC-BY-NC-SA-2.0", "refused: noncommercial", nullptr},
    {"openverse", "by-nc-nd", "2.0", "CC-BY-NC-ND-2.0", "refused: noncommercial", nullptr},
    {"openverse", "sampling+", "1.0", "CC Sampling+ 1.0", "refused: unknown", nullptr},
    {"openverse", "nc-sampling+", "1.0", "CC NC-Sampling+ 1.0", "refused: noncommercial", nullptr},
    {"openverse", "brand-new", "1.0", "openverse brand-new", "refused: unknown", nullptr},
    {"commons", "cc0", "", "CC0-1.0", "allowed: public domain", nullptr},
    {"commons", "cc-zero", "", "CC0-1.0", "allowed: public domain", nullptr},
    {"commons", "cc-pd-mark", "", "PDM-1.0", "allowed: public domain", nullptr},
    {"commons", "cc-by-4.0", "", "CC-BY-4.0", "allowed: attribution", "cc-by-{v}"},
    {"commons", "CC-BY-4.0", "", "CC-BY-4.0", "allowed: attribution", "cc-by-{v}"},
    {"commons", "cc-by-3.0-de", "", "CC-BY-3.0-DE", "refused: old version", "cc-by-{v}"},
    {"commons", "cc-by-sa-4.0", "", "CC-BY-SA-4.0", "refused: sharealike", "cc-by-sa-{v}"},
    {"commons", "cc-by-sa-3.0,2.5,2.0,1.0", "", "CC-BY-SA-3.0,2.5,2.0,1.0", "refused: unknown",
     "cc-by-sa-{v}"},
    {"commons", "cc-by-nc-4.0", "", "commons cc-by-nc-4.0", "refused: noncommercial", nullptr},
    {"commons", "cc-by-nd-2.0", "", "commons cc-by-nd-2.0", "refused: noderivatives", nullptr},
    {"commons", "cc-by-sa-all", "", "commons cc-by-sa-all", "refused: unknown", nullptr},
    {"commons", "pd", "", "LicenseRef-Public-Domain", "refused: held", nullptr},
    {"commons", "attribution", "", "LicenseRef-Attribution", "refused: held", nullptr},
    {"commons", "gfdl", "", "GFDL-1.2-or-later", "refused: held", nullptr},
    {"commons", "fal", "", "LAL-1.3", "refused: held", nullptr},
    {"commons", "ogl", "", "OGL-UK-3.0", "refused: held", nullptr},
    {"flickr", "0", "", "All rights reserved", "refused: unknown", nullptr},
    {"flickr", "1", "", "CC-BY-NC-SA-2.0", "refused: noncommercial", nullptr},
    {"flickr", "2", "", "CC-BY-NC-2.0", "refused: noncommercial", nullptr},
    {"flickr", "3", "", "CC-BY-NC-ND-2.0", "refused: noncommercial", nullptr},
    {"flickr", "4", "", "CC-BY-2.0", "refused: old version", nullptr},
    {"flickr", "5", "", "CC-BY-SA-2.0", "refused: old version", nullptr},
    {"flickr", "6", "", "CC-BY-ND-2.0", "refused: noderivatives", nullptr},
    {"flickr", "7", "", "LicenseRef-No-Known-Restrictions", "allowed: none known", nullptr},
    {"flickr", "8", "", "US-GOV", "allowed: public domain", nullptr},
    {"flickr", "9", "", "CC0-1.0", "allowed: public domain", nullptr},
    {"flickr", "10", "", "PDM-1.0", "allowed: public domain", nullptr},
    {"flickr", "11", "", "CC-BY-4.0", "allowed: attribution", nullptr},
    {"flickr", "12", "", "CC-BY-SA-4.0", "refused: sharealike", nullptr},
    {"flickr", "13", "", "flickr 13", "refused: unknown", nullptr},
    {"flickr", "", "", "", "refused: missing", nullptr},
    {"loc", "no known restrictions", "", "LicenseRef-No-Known-Restrictions", "allowed: none known",
     nullptr},
    {"loc", "", "", "", "refused: missing", nullptr},
    {"nasa", "", "", "US-GOV", "allowed: public domain", nullptr},
    {"unsplash", "unsplash", "", "LicenseRef-Unsplash", "refused: held", nullptr},
    {"pexels", "pexels", "", "LicenseRef-Pexels", "refused: held", nullptr},
    {"pixabay", "pixabay-content", "", "LicenseRef-Pixabay", "refused: held", nullptr},
    {"folder", "CC BY 4.0", "", "CC-BY-4.0", "allowed: attribution", nullptr},
    {"article", "all rights reserved", "", "all rights reserved", "refused: unknown", nullptr},
};

LicenseClaim claim(const std::string& code, const std::string& version = "",
                   const std::string& url = "") {
  LicenseClaim made;
  made.code = code;
  made.version = version;
  made.url = url;
  return made;
}

std::string rule(const License& license, const Policy& policy = {}) {
  const Decision decision = decide(license, policy);
  return (decision.allowed ? "allowed: " : "refused: ") + decision.rule;
}

}  // namespace

TEST_CASE("each row of each provider's codes", "[codes]") {
  for (const Row& row : kRows) {
    CAPTURE(row.provider, row.code, row.version);
    const License license = read_claim(claim(row.code, row.version), row.provider);
    CHECK(license.id == row.id);
    CHECK(rule(license) == row.rule);
  }
}

TEST_CASE("no row of the table is without its test", "[codes]") {
  std::set<std::pair<std::string, std::string>> tested;
  for (const Row& row : kRows)
    tested.emplace(row.provider, row.row != nullptr ? row.row : row.code);
  for (const CodeRow& row : code_rows()) {
    CAPTURE(row.provider, row.code);
    CHECK(tested.contains({std::string(row.provider), std::string(row.code)}));
  }
}

TEST_CASE("docs/licences.md is printed from the table", "[codes]") {
  CHECK(read_text(std::filesystem::path(AFFICHE_SOURCE_DIR) / "docs/licences.md") ==
        licenses_page());
}

TEST_CASE("what waits for a person is allowed by its name only", "[codes]") {
  Policy policy;
  policy.also_allow = {"LicenseRef-Unsplash", "gfdl-1.2-or-later"};
  CHECK(rule(read_claim(claim("unsplash"), "unsplash"), policy) == "allowed: also allowed");
  CHECK(rule(read_claim(claim("gfdl"), "commons"), policy) == "allowed: also allowed");
  CHECK(rule(read_claim(claim("pexels"), "pexels"), policy) == "refused: held");
}

TEST_CASE("the Library's sentences are believed when they name no restriction", "[codes]") {
  const std::map<std::string, std::string> sentences = {
      {"No known restrictions on publication.", "allowed: none known"},
      {"  No known\n restrictions on publication. ", "allowed: none known"},
      {"No known copyright restrictions.", "allowed: none known"},
      {"No known restrictions on publication in the U.S. Use elsewhere may be restricted by other "
       "countries' laws.",
       "refused: unknown"},
      {"No known restrictions, however the family objects.", "refused: unknown"},
      {"Publication may be restricted. For information see …", "refused: unknown"},
      {"Rights status not evaluated", "refused: unknown"},
      {"", "refused: missing"},
  };
  for (const auto& [sentence, expected] : sentences) {
    CAPTURE(sentence);
    LicenseClaim made;
    made.statement = sentence;
    CHECK(rule(read_claim(made, "loc")) == expected);
  }
}

TEST_CASE("a deed's URL may add a jurisdiction and nothing else", "[codes]") {
  const std::string deeds = "https://creativecommons.org/licenses/";
  CHECK(read_claim(claim("by", "2.0", deeds + "by/2.0/jp/"), "openverse").id == "CC-BY-2.0-JP");
  CHECK_FALSE(contradicts_itself(claim("by", "2.0", deeds + "by/2.0/jp/"), "openverse"));
  CHECK_FALSE(contradicts_itself(claim("cc-by-sa-4.0", "", deeds + "by-sa/4.0"), "commons"));
  CHECK_FALSE(contradicts_itself(claim("cc-by-4.0"), "commons"));
  CHECK(contradicts_itself(claim("by", "4.0", deeds + "by-nc/4.0/"), "openverse"));
  CHECK(contradicts_itself(claim("cc-by-4.0", "", deeds + "by/3.0/"), "commons"));
}

TEST_CASE("a decision names what the licence wants and what the card becomes", "[codes]") {
  Policy policy;
  policy.allow_old_versions = policy.allow_sharealike = true;
  using Duties = std::vector<std::string>;
  CHECK(decide(read_license("CC-BY-4.0"), policy).duties ==
        Duties{"author", "source", "license", "changes"});
  CHECK(decide(read_license("CC-BY-3.0"), policy).duties ==
        Duties{"title", "author", "source", "license", "changes"});
  CHECK(decide(read_license("CC0-1.0"), policy).duties.empty());
  CHECK(decide(read_license("CC-BY-SA-4.0"), policy).card_license == "CC-BY-SA-4.0");
  CHECK(decide(read_license("CC-BY-4.0"), policy).card_license.empty());
}
