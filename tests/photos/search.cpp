// SPDX-License-Identifier: Apache-2.0
#include "photos/search.h"

#include <set>

#include "catch.h"

using namespace affiche::photos;
using Words = std::vector<std::string>;

namespace {

const std::vector<SearchEntry> kLibrary = {
    {"a", "Aqua", {"water", "drop", "blue"}},
    {"b", "Storm", {"clouds", "road", "sky"}},
    {"c", "The road to Köln", {"river", "bridge"}},
    {"d", "Yellow Flower", {"flowers", "petal", "summer"}},
};

Words ids(std::string_view query, std::string_view salt = {}) {
  Words found;
  for (const Match& match : rank(query, kLibrary, salt)) found.push_back(kLibrary[match.index].id);
  return found;
}

}  // namespace

TEST_CASE("words are compared without case, accents, plural and stop words", "[search]") {
  REQUIRE(search_words("The Rivers of KÖLN, the rivers!") == Words{"river", "koln"});
  REQUIRE(search_words("Straße — Łódź “Ærø”") == Words{"strasse", "lodz", "aro"});
  REQUIRE(search_words("Москва и МОСКВА") == Words{"москва", "и"});
  REQUIRE(search_words("glass bus") == Words{"glass", "bus"});
  REQUIRE(search_words(" \t—… ").empty());
}

TEST_CASE("more of the query's words win, then keywords over titles", "[search]") {
  REQUIRE(ids("road") == Words{"b", "c"});
  REQUIRE(ids("road river") == Words{"c", "b"});
  REQUIRE(ids("flower") == Words{"d"});
  REQUIRE(ids("KOLN") == Words{"c"});
}

TEST_CASE("the beginning of a longer word counts little, but counts", "[search]") {
  REQUIRE(ids("summertime") == Words{"d"});
  REQUIRE(ids("wat").empty());
}

TEST_CASE("a photo that shares no word is not found", "[search]") {
  REQUIRE(ids("mountain").empty());
  REQUIRE(ids("").empty());
  REQUIRE(ids("the of and").empty());
}

TEST_CASE("equal matches are spread over jobs, and each job keeps its picture", "[search]") {
  std::vector<SearchEntry> same;
  for (char c = 'a'; c <= 'h'; ++c) same.push_back({std::string(1, c), "Sea", {"sea"}});
  std::set<std::size_t> first;
  for (int job = 0; job < 40; ++job) {
    const std::string salt = std::to_string(job);
    first.insert(rank("sea", same, salt).front().index);
    REQUIRE(rank("sea", same, salt).front().index == rank("sea", same, salt).front().index);
  }
  REQUIRE(first.size() > 4);
}

TEST_CASE("malformed UTF-8 does no harm", "[search]") {
  for (const char* text : {"\xff\xfe", "\xc3", "\xe2\x80", "caf\xc3", "\xf0\x9f\x8c"}) {
    REQUIRE_NOTHROW(rank(text, kLibrary));
  }
}
