// SPDX-License-Identifier: Apache-2.0
// Cards straight from files.
#include <algorithm>
#include <sstream>

#include "base/sha256.h"
#include "catch.h"
#include "cli/site.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::test;

TEST_CASE("one card comes in every format that is asked for, each with its credit") {
  const Site site;
  site.add_dune();
  const Answer answer = site.run(card({"--photo", "dune.jpg", "--credit", "dune.json", "--out",
                                       "a.jpg", "b.png", "c/d.webp", "--json"}));
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  for (const char* name : {"a.jpg", "b.png", "c/d.webp"}) {
    INFO(name);
    const std::filesystem::path file = site.folder / name;
    const Image image = cards::decode(read_bytes(file), name);
    CHECK(image.width == 1200);
    CHECK(image.height == 630);
    CHECK(contains(read_text(file), "A. Sand"));  // in the XMP
    std::filesystem::path beside = file;
    const Json credits = parse_json(read_text(beside.replace_extension(".credits.json")), name);
    CHECK(credits.at("photo").at("author") == "A. Sand");
    CHECK(credits.at("photo").at("license") == "CC-BY-4.0");
    CHECK(answer.says("\"out\":\"" + std::string(name) + "\""));
  }
  CHECK(site.ask({"credits"}).size() == 3);
}

TEST_CASE("the same input gives the same bytes, whenever it is made") {
  const Site site;
  site.add_dune();
  for (const char* name : {"a.jpg", "b.jpg"}) {
    // The clock of a date has seconds.
    if (*name == 'b') std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    REQUIRE(site.run(card({"--photo", "dune.jpg", "--credit", "dune.json", "--out", name})).code ==
            0);
  }
  for (const char* ending : {".jpg", ".credits.json"}) {
    CHECK(sha256_file(site.folder / ("a" + std::string(ending))) ==
          sha256_file(site.folder / ("b" + std::string(ending))));
  }
}

TEST_CASE("a stream answers every line in order, also the broken ones") {
  const Site site;
  const Answer answer = site.run({"compose", "--jobs", "-"},
                                 "{\"template\": \"plain\", \"set\": {\"headline\": \"One\"}, "
                                 "\"out\": \"1.jpg\"}\n"
                                 "{\"template\": \"plain\", \"sat\": {}}\n"
                                 "{\"template\": \"plain\", \"set\": {\"headline\": \"Three\"}, "
                                 "\"out\": [\"3.png\"]}\n");
  CHECK(answer.code == 3);
  std::istringstream lines(answer.out);
  std::vector<Json> answers;
  for (std::string line; std::getline(lines, line);) answers.push_back(parse_json(line, "answer"));
  REQUIRE(answers.size() == 3);
  CHECK(answers[0].at("out") == "1.jpg");
  CHECK(answers[0].at("ms").get<double>() > 0);
  CHECK(answers[0].at("bytes") == std::filesystem::file_size(site.folder / "1.jpg"));
  CHECK(answers[1].at("error").get<std::string>().find("standard input:2") != std::string::npos);
  CHECK(answers[1].at("error").get<std::string>().find("did you mean 'set'?") != std::string::npos);
  CHECK(answers[2].at("out") == "3.png");
}

TEST_CASE("a stream takes every kind of mistake for an answer, not for its end") {
  const Site site;
  site.write("lines.jsonl",
             "{\n[]\n{\"template\": \"plain\", \"out\": [1]}\n"
             "{\"template\": \"plain\", \"set\": {\"headline\": \"A\"}}\n"
             "{\"template\": \"plain\", \"set\": {\"headline\": \"A\"}, \"out\": \"a.gif\"}\n"
             "{\"template\": \"plain\", \"set\": {\"headlin\": \"A\"}, \"out\": \"a.jpg\"}\n"
             "{\"template\": \"plain\", \"set\": {\"headline\": \"\xff\"}, \"out\": \"a.jpg\"}\n");
  const Answer answer = site.run({"compose", "--jobs", "lines.jsonl"});
  INFO(answer.out << answer.err);
  CHECK(answer.code == 1);
  CHECK(std::count(answer.out.begin(), answer.out.end(), '\n') == 7);
  CHECK(answer.err.empty());
}
