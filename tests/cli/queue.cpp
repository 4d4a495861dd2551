// SPDX-License-Identifier: Apache-2.0
// Jobs entered, looked at, managed and run.
#include "catch.h"
#include "cli/site.h"

using namespace affiche;
using namespace affiche::test;

namespace {

const std::vector<std::string> kTides = {"enqueue", "--template", "plain", "--set",
                                         "headline=Tides"};

std::vector<std::string> tides(std::vector<std::string> more) {
  std::vector<std::string> words = kTides;
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

}  // namespace

TEST_CASE("enqueue --json prints the ids, whatever the jobs come from") {
  const Site site;
  CHECK(site.ask(kTides) == Json::array({1}));
  site.write("a.jsonl",
             "{\"template\": \"plain\", \"set\": {\"headline\": \"A\"}}\n\n"
             "{\"template\": \"plain\", \"set\": {\"headline\": \"B\"}, \"priority\": 5}\n");
  CHECK(site.ask({"enqueue", "--data", "a.jsonl"}) == Json::array({2, 3}));
  site.write("a.csv", "template,headline,key\nplain,\"C, with a comma\",c\nplain,D,d\n");
  CHECK(site.ask({"enqueue", "--data", "a.csv"}) == Json::array({4, 5}));
  CHECK(site.ask({"enqueue", "--data", "-", "--template", "plain"},
                 "{\"set\": {\"headline\": \"E\"}}\n{\"set\": {\"headline\": \"F\"}}\n") ==
        Json::array({6, 7}));
  const Json jobs = site.ask({"jobs", "list"});
  REQUIRE(jobs.size() == 7);
  CHECK(jobs[2].at("priority") == 5);
  CHECK(jobs[3].at("set").at("headline") == "C, with a comma");
  CHECK(jobs[6].at("set").at("headline") == "F");
}

TEST_CASE("jobs list --json is one array with what a script needs") {
  const Site site;
  CHECK(site.ask({"jobs", "list"}) == Json::array());
  site.ask(kTides);
  const Json jobs = site.ask({"jobs", "list"});
  REQUIRE(jobs.size() == 1);
  CHECK(jobs[0].at("id") == 1);
  CHECK(jobs[0].at("state") == "queued");
  CHECK(jobs[0].at("template") == "plain");
  CHECK(jobs[0].at("attempts") == 0);
  CHECK(jobs[0].at("error") == "");
  CHECK(jobs[0].at("outputs") == Json::array());
  CHECK(site.ask({"jobs", "list", "--state", "done"}) == Json::array());
}

TEST_CASE("a key is entered once") {
  const Site site;
  CHECK(site.ask(tides({"--key", "tides-2026"})) == Json::array({1}));
  CHECK(site.ask(tides({"--key", "tides-2026"})) == Json::array({1}));
  CHECK(site.ask({"jobs", "list"}).size() == 1);
  site.run({"jobs", "cancel", "1"});
  CHECK(site.ask(tides({"--key", "tides-2026"})) != Json::array({1}));
  CHECK(site.ask({"jobs", "list"}).size() == 2);
}

TEST_CASE("one bad line names itself and keeps the whole file out") {
  const Site site;
  const std::string good = "{\"template\": \"plain\", \"set\": {\"headline\": \"A\"}}\n";
  for (const auto& [line, message] : std::vector<std::pair<std::string, std::string>>{
           {"{\"template\": ", "b.jsonl:2"},
           {"{\"templte\": \"plain\"}", "did you mean 'template'?"},
           {"{\"template\": \"plian\"}", "did you mean 'plain'?"},
           {"{\"template\": \"plain\", \"at\": \"tomorrow\"}", "b.jsonl:2"},
           {"{\"template\": \"plain\", \"set\": {\"headline\": []}}", "headline"},
           {"{\"template\": \"plain\", \"photo\": \"https://example.org/a.jpg\"}", "URL"},
           {"{\"template\": \"plain\", \"photo\": {\"path\": \"a.jpg\"}}", "b.jsonl:2"}}) {
    site.write("b.jsonl", good + line + "\n" + good);
    const Answer answer = site.run({"enqueue", "--data", "b.jsonl"});
    INFO(line << ": " << answer.err);
    CHECK(answer.code == 2);
    CHECK(answer.says("b.jsonl:2"));
    CHECK(answer.says(message));
  }
  for (const char* file : {"none.jsonl", "jobs.txt"}) {
    CHECK(site.run({"enqueue", "--data", file}).code == 2);
  }
  CHECK(site.ask({"jobs", "list"}) == Json::array());
}

TEST_CASE("jobs are cancelled, retried, shown and pruned") {
  const Site site;
  site.ask(kTides);
  site.ask(kTides);
  CHECK(site.run({"jobs", "cancel", "1", "99"}).code == 3);
  CHECK(site.run({"jobs", "cancel", "99"}).code == 1);
  CHECK(site.ask({"jobs", "list", "--state", "cancelled"}).size() == 1);
  CHECK(site.run({"jobs", "retry", "1"}).code == 0);
  CHECK(site.run({"jobs", "retry", "1"}).code == 1);  // it waits already
  CHECK(site.run({"jobs", "retry"}).code == 2);
  CHECK(site.ask({"jobs", "show", "1"}).at("state") == "queued");
  CHECK(site.ask({"jobs", "show", "1"}).at("history") == Json::array());
  CHECK(site.run({"jobs", "show", "99"}).code == 1);

  site.run({"jobs", "cancel", "2"});
  CHECK(site.ask({"jobs", "prune"}).at("jobs") == 0);  // not old enough
  CHECK(site.ask({"jobs", "prune", "--older", "0"}).at("jobs") == 1);
  CHECK(site.ask({"jobs", "list"}).size() == 1);
}

TEST_CASE("run makes what is due, and nothing while the queue is paused") {
  const Site site;
  CHECK(site.run({"run", "--drain"}).code == 0);  // an empty queue
  site.ask(tides({"--out", "cards/tides.jpg"}));
  CHECK(site.run({"jobs", "pause"}).code == 0);
  const Answer paused = site.run({"run", "--drain"});
  CHECK(paused.code == 75);
  CHECK(paused.says("affiche jobs resume"));
  CHECK(site.run({"jobs", "resume"}).code == 0);
  const Json made = site.ask({"run", "--drain"});
  CHECK(made.at("state") == "done");
  CHECK(std::filesystem::exists(site.folder / "cards/tides.jpg"));
  const Json job = site.ask({"jobs", "show", "1"});
  CHECK(job.at("outputs")[0] == (site.folder / "cards/tides.jpg").string());
  CHECK(job.at("history").size() == 1);
  CHECK(job.at("stages").size() == 4);
}

TEST_CASE("jobs that cannot be made go dead, and the exit code says whether all did") {
  const Site site;
  const std::vector<std::string> strict = {"enqueue",        "--template", "strict",   "--set",
                                           "headline=Tides", "--photo",    "submarine"};
  site.ask(strict);
  const Answer all = site.run({"run", "--drain"});
  CHECK(all.code == 1);
  CHECK(all.says("submarine"));
  CHECK(site.ask({"jobs", "list"})[0].at("state") == "dead");
  CHECK(site.ask({"jobs", "list"})[0].at("attempts") == 1);

  site.write("templates/passing.toml", plain_template("variant"));
  site.ask({"enqueue", "--template", "passing", "--set", "headline=Tides"});
  std::filesystem::remove(site.folder / "templates/passing.toml");
  site.ask(tides({}));
  CHECK(site.run({"run", "--drain"}).code == 3);
  const Json jobs = site.ask({"jobs", "list"});
  CHECK(jobs[1].at("state") == "dead");
  CHECK(jobs[1].at("error_cause") == "not_found");
  CHECK(jobs[2].at("state") == "done");
  CHECK(site.run({"jobs", "retry", "--dead"}).code == 0);
  CHECK(site.ask({"jobs", "list", "--state", "queued"}).size() == 2);
}
