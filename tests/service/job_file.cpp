// SPDX-License-Identifier: Apache-2.0
#include "service/job_file.h"

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "catch.h"
#include "service/csv.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::service;
using affiche::test::TemporaryFolder;

namespace {

struct Desk {
  TemporaryFolder folder;
  Config config;
  JobDefaults defaults;

  Desk() {
    config.paths.templates = folder / "templates";
    config.paths.brands = folder / "brands";
    write_atomically(folder / "templates/article.toml", std::string_view("x = 1"));
    write_atomically(folder / "brands/demo.toml", std::string_view("x = 1"));
  }
  std::vector<store::NewJob> read(const std::string& name, const std::string& text) {
    write_atomically(folder / name, text);
    return read_jobs(folder / name, defaults, config);
  }
  std::string refusal(const std::string& name, const std::string& text) {
    try {
      read(name, text);
    } catch (const Error& error) {
      REQUIRE(error.cause() == Cause::BadInput);
      return error.what();
    }
    return "";
  }
};

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE_METHOD(Desk, "a line of data holds everything about a job") {
  const auto jobs =
      read("a.jsonl", R"({"template":"article","brand":"demo","set":{"headline":"Größe \"A\""},)"
                      R"("photo":"river","out":"cards/","key":"k1","at":"2026-11-21T14:20:53Z",)"
                      R"("priority":-3})"
                      "\n\n"
                      R"({"template":"article"})"
                      "\n");
  REQUIRE(jobs.size() == 2);
  REQUIRE(jobs[0].template_name == "article");
  REQUIRE(jobs[0].brand == "demo");
  REQUIRE(parse_json(jobs[0].variables, "set")["headline"] == "Größe \"A\"");
  REQUIRE(jobs[0].photo == R"("river")");
  REQUIRE(jobs[0].out == (std::filesystem::current_path() / "cards/").string());
  REQUIRE(jobs[0].key == "k1");
  REQUIRE(jobs[0].run_at == parse_iso8601("2026-11-21T14:20:53Z"));
  REQUIRE(jobs[0].priority == -3);
  REQUIRE(jobs[0].max_attempts == config.work.max_attempts);
  REQUIRE(jobs[1].photo == "null");
  REQUIRE_FALSE(jobs[1].run_at);
}

TEST_CASE_METHOD(Desk, "the command line's options hold where a line is silent") {
  defaults.template_name = "article";
  defaults.set = {{"headline", "H"}, {"kicker", "K"}};
  defaults.photo = "sea";
  defaults.priority = 4;
  const auto jobs = read("a.json", R"([{}, {"set":{"headline":"own"},"photo":null,"priority":0}])");
  REQUIRE(parse_json(jobs[0].variables, "set") == Json{{"headline", "H"}, {"kicker", "K"}});
  REQUIRE(jobs[0].photo == R"("sea")");
  REQUIRE(jobs[0].priority == 4);
  REQUIRE(parse_json(jobs[1].variables, "set") == Json{{"headline", "own"}, {"kicker", "K"}});
  REQUIRE(jobs[1].photo == "null");
  REQUIRE(jobs[1].priority == 0);
}

TEST_CASE_METHOD(Desk, "columns of a table that are not keys are variables") {
  const auto jobs = read("a.csv",
                         "template,headline,set.photo,photo,priority\r\n"
                         "article,\"One, \"\"two\"\"\nthree\",p,sea,7\r\n"
                         "article,Plain,,,\r\n");
  REQUIRE(jobs.size() == 2);
  REQUIRE(parse_json(jobs[0].variables, "set") ==
          Json{{"headline", "One, \"two\"\nthree"}, {"photo", "p"}});
  REQUIRE(jobs[0].photo == R"("sea")");
  REQUIRE(jobs[0].priority == 7);
  REQUIRE(parse_json(jobs[1].variables, "set") == Json{{"headline", "Plain"}});
}

TEST_CASE_METHOD(Desk, "mistakes are named with their line and nothing is returned") {
  const std::string good = R"({"template":"article"})";
  REQUIRE(has(refusal("a.jsonl", good + "\n" + R"({"templat":"article"})"),
              "a.jsonl:2: unknown key \"templat\" (did you mean 'template'?)"));
  REQUIRE(has(refusal("a.jsonl", good + "\n{"), "a.jsonl:2"));
  REQUIRE(has(refusal("a.jsonl", R"({"template":"artcle"})"), "did you mean 'article'?"));
  REQUIRE(has(refusal("a.jsonl", R"({"template":"article","brand":"nope"})"), "brand \"nope\""));
  REQUIRE(has(refusal("a.jsonl", R"({"template":"article","priority":"high"})"), "priority"));
  REQUIRE(has(refusal("a.jsonl", R"({"template":"article","at":"tomorrow"})"), "ISO 8601"));
  REQUIRE(has(refusal("a.jsonl", R"({"template":"article","set":{"a":[1]}})"), "set"));
  REQUIRE(has(refusal("a.jsonl", R"({"template":"article","photo":{"path":"a.jpg"}})"), "photo"));
  REQUIRE(has(refusal("a.json", R"([{"template":"article"},3])"), "job 2"));
  REQUIRE(has(refusal("a.csv", "template,priorty\narticle,1\n"), "did you mean 'priority'?"));
  REQUIRE(has(refusal("a.csv", "template,a\narticle\n"), "a.csv:2: expected 2 cells, found 1"));
  REQUIRE(has(refusal("a.csv", "template,a,a\n"), "occurs twice"));
  REQUIRE(has(refusal("a.csv", "template\n\"article\n"), "not closed"));
  REQUIRE(has(refusal("a.txt", good), ".jsonl"));
  REQUIRE(has(refusal("a.jsonl", "\n"), "found none"));
  REQUIRE(has(refusal("a.json", "{}"), "template: expected a name"));
}

TEST_CASE_METHOD(Desk, "photo paths count from the folder of the file, and an id is known as one") {
  const std::string credit =
      R"({"title":"Sea","author":"Ann","license":"CC-BY-4.0","license_url":"https://l"})";
  const auto jobs = read("a.jsonl", R"({"template":"article","photo":{"path":"p/a.jpg","credit":)" +
                                        credit + "}}\n" + R"({"template":"article","photo":")" +
                                        std::string(64, 'a') + "\"}");
  REQUIRE(parse_json(jobs[0].photo, "photo")["path"] == (folder / "p/a.jpg").string());
  REQUIRE(parse_json(jobs[1].photo, "photo")["id"] == std::string(64, 'a'));
}

TEST_CASE("tables are read as RFC 4180 has them") {
  const auto rows = parse_csv(
      "\xEF\xBB\xBF"
      "a,\"b\"\"c\",\r\n\n\"x\ny\",,z",
      "t");
  REQUIRE(rows.size() == 2);
  REQUIRE(rows[0].cells == std::vector<std::string>{"a", "b\"c", ""});
  REQUIRE(rows[1].cells == std::vector<std::string>{"x\ny", "", "z"});
  REQUIRE(rows[1].line == 3);
  REQUIRE_THROWS_AS(parse_csv("a\"b", "t"), Error);
  REQUIRE_THROWS_AS(parse_csv("\"a\"b", "t"), Error);
  REQUIRE(parse_csv("", "t").empty());
}
