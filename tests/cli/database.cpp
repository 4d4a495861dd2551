// SPDX-License-Identifier: Apache-2.0
// The database that the command line opens.
#include <sqlite3.h>

#include "catch.h"
#include "cli/site.h"

using namespace affiche;
using namespace affiche::test;

namespace {

void execute(const std::filesystem::path& file, const std::string& sql) {
  sqlite3* database = nullptr;
  REQUIRE(sqlite3_open(file.c_str(), &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK);
  sqlite3_close(database);
}

}  // namespace

TEST_CASE("migrate applies what is missing, and then nothing") {
  const Site site;
  const Json first = site.ask({"migrate"});
  CHECK(first.at("applied").size() == first.at("version").get<std::size_t>());
  CHECK(first.at("database") == (site.folder / "var/affiche.db").string());
  CHECK(site.ask({"migrate"}).at("applied") == Json::array());
}

TEST_CASE("a database that is newer than the program is refused by every command") {
  const Site site;
  site.ask({"migrate"});
  execute(site.folder / "var/affiche.db",
          "INSERT INTO migrations (number, name, sha256, applied) VALUES (9999, 'later', 'x', 1)");
  for (const std::vector<std::string>& words :
       {std::vector<std::string>{"migrate"}, {"jobs", "list"}, {"run"}, {"credits"}}) {
    const Answer answer = site.run(words);
    CHECK(answer.code == 1);
    CHECK(answer.says("newer than this program"));
    CHECK(answer.says("9999"));
  }
}

TEST_CASE("the database of another program is refused") {
  const Site site;
  std::filesystem::create_directories(site.folder / "var");
  execute(site.folder / "var/affiche.db", "CREATE TABLE recipes (x INTEGER)");
  const Answer answer = site.run({"jobs", "list"});
  CHECK(answer.code == 1);
  CHECK(answer.says("another program"));
}

TEST_CASE("doctor finds a missing font and a missing model, with a remedy") {
  const Site site;
  site.ask({"migrate"});
  CHECK(site.ask({"doctor"}).at("ok") == true);
  site.write("brands/odd.toml",
             "publisher = \"Odd\"\n[colours]\nink = \"#000000\"\n[fonts]\n"
             "body = { family = \"No Such Family\" }\n[voice]\nmodel = \"nowhere\"\n");
  const Answer answer = site.run({"doctor"});
  CHECK(answer.code == 1);
  CHECK(answer.says("No Such Family"));
  CHECK(answer.says("nowhere"));
  CHECK(answer.says("install them"));
}
