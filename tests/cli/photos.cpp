// SPDX-License-Identifier: Apache-2.0
// The library of photographs, and the ledger of what became of them.
#include "catch.h"
#include "cli/site.h"

using namespace affiche;
using namespace affiche::test;

namespace {

std::string sidecar(const std::string& title, const std::string& license) {
  return "title = \"" + title + "\"\nauthor = \"A. Sand\"\nsource = \"Own archive\"\n" +
         "source_url = \"https://example.org/17\"\nkeywords = [\"" + title + "\", \"shore\"]\n" +
         (license.empty() ? "" : "license = \"" + license + "\"\n");
}

struct Shore : Site {
  // NAME.jpg in press/, with a sidecar.
  void add(const std::string& name, const std::string& license, int width = 1300) const {
    std::filesystem::create_directories(folder / "press");
    write_atomically(folder / "press" / (name + ".jpg"),
                     jpeg(width, 900, static_cast<int>(name.size()) * 20));
    write("press/" + name + ".jpg.toml", sidecar(name, license));
  }
};

const Json* of(const Json& report, const std::string& file) {
  for (const Json& entry : report) {
    if (entry.at("file").get<std::string>().find(file) != std::string::npos) return &entry;
  }
  return nullptr;
}

}  // namespace

TEST_CASE(
    "photographs under an allowed licence are taken in, and importing again changes nothing") {
  const Shore site;
  site.add("dune", "CC-BY-4.0");
  site.add("harbour", "CC0-1.0");
  const Answer first = site.run({"photos", "import", "press"});
  CHECK(first.code == 0);
  CHECK(first.says("2 photographs in press, 0 refused"));
  const Json again = site.ask({"photos", "import", "press"});
  REQUIRE(again.size() == 2);
  CHECK(again[0].at("outcome") == "present");
  const Json list = site.ask({"photos", "list"});
  REQUIRE(list.size() == 2);
  CHECK(list[0].at("width") == 1300);
  CHECK(list[0].at("credit").at("author") == "A. Sand");
  CHECK(list[0].at("id").get<std::string>().size() == 64);
}

TEST_CASE("a photograph that may not be used is refused with the reason") {
  const Shore site;
  site.add("good", "CC-BY-4.0");
  site.add("commercial", "CC-BY-NC-4.0");
  site.add("changed", "CC-BY-ND-4.0");
  site.add("silent", "");
  site.add("strange", "Mine-1.0");
  site.add("shared", "CC-BY-SA-4.0");
  site.add("small", "CC-BY-4.0", 320);
  write_atomically(site.folder / "press/alone.jpg", jpeg(1300, 900));
  site.write("press/text.jpg", "not a picture");
  site.write("press/text.jpg.toml", sidecar("text", "CC-BY-4.0"));

  const Answer answer = site.run({"photos", "import", "press", "--json"});
  CHECK(answer.code == 3);
  const Json report = answer.json();
  REQUIRE(report.size() == 9);
  CHECK(of(report, "good")->at("outcome") == "imported");
  for (const auto& [file, reason] :
       std::vector<std::pair<std::string, std::string>>{{"commercial", "commercial"},
                                                        {"changed", "changes"},
                                                        {"silent", "license"},
                                                        {"strange", "Mine-1.0"},
                                                        {"shared", "allow_sharealike"},
                                                        {"small", "min_width"},
                                                        {"alone", "no sidecar"},
                                                        {"text.jpg", "text.jpg"}}) {
    const Json& entry = *of(report, file);
    INFO(entry.dump());
    CHECK(entry.at("outcome") == "refused");
    CHECK(entry.at("reason").get<std::string>().find(reason) != std::string::npos);
  }
  CHECK(site.ask({"photos", "list"}).size() == 1);
}

TEST_CASE("import says whether all was refused, or nothing was there") {
  const Shore site;
  site.add("commercial", "CC-BY-NC-4.0");
  CHECK(site.run({"photos", "import", "press"}).code == 1);
  std::filesystem::create_directories(site.folder / "empty");
  CHECK(site.run({"photos", "import", "empty"}).code == 2);
  CHECK(site.run({"photos", "import", "nowhere"}).code == 2);
}

TEST_CASE("search finds by keyword and title, best first") {
  const Shore site;
  site.add("dune", "CC-BY-4.0");
  site.add("harbour", "CC-BY-4.0");
  site.run({"photos", "import", "press"});
  const Json found = site.ask({"photos", "search", "harbour", "shore"});
  REQUIRE(found.size() == 2);
  CHECK(found[0].at("credit").at("title") == "harbour");
  CHECK(found[0].at("score") > found[1].at("score"));
  const Answer none = site.run({"photos", "search", "submarine"});
  CHECK(none.code == 1);
  CHECK(none.says("no photograph has any of these words"));
}

TEST_CASE("the ledger is told in every format") {
  const Shore site;
  site.add("dune", "CC-BY-4.0");
  site.run({"photos", "import", "press"});
  site.ask({"enqueue", "--template", "strict", "--set", "headline=Sand", "--photo", "dune"});
  REQUIRE(site.run({"run", "--drain"}).code == 0);

  const Json ledger = site.ask({"credits"});
  REQUIRE(ledger.size() == 1);
  CHECK(ledger[0].at("credit").at("title") == "dune");
  CHECK(ledger[0].at("job") == 1);
  const std::string line = ledger[0].at("line");
  CHECK(line.starts_with("Photo: A. Sand / Own archive · CC BY 4.0"));
  CHECK(site.run({"credits", "--format", "json"}).json() == ledger);
  const std::string csv = site.run({"credits", "--format", "csv"}).out;
  CHECK(csv.find("\"" + line + "\"") != std::string::npos);
  CHECK(csv.starts_with("when,job,card,"));
  CHECK(site.run({"credits"}).says("| A. Sand |"));
  CHECK(site.run({"credits", "--format", "html"}).says("href=\"https://example.org/17\""));
  CHECK(site.ask({"credits", "--since", "2999-01-01"}) == Json::array());
  CHECK(site.run({"credits", "--since", "yesterday"}).code == 2);
}
