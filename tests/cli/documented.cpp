// SPDX-License-Identifier: Apache-2.0
// What the pages say against what the program does.
#include <algorithm>
#include <map>
#include <regex>
#include <set>

#include "catch.h"
#include "cli/commands.h"
#include "cli/site.h"

using namespace affiche;
using namespace affiche::test;

namespace {

const std::filesystem::path kSource = AFFICHE_SOURCE_DIR;

// "work.threads" -> "0", as TOML; paths relative to `folder`.
std::map<std::string, std::string> settings_of(const std::filesystem::path& folder) {
  Surroundings around;
  around.folder = folder;
  around.variables = {"HOME=" + folder.string(), "XDG_CONFIG_HOME=" + folder.string()};
  std::map<std::string, std::string> found;
  const Json answer = run_program({"doctor", "--json"}, around).json();
  for (const auto& [key, value] : answer.at("settings").items()) {
    std::string text = value.get<std::string>();
    if (const auto at = text.find(folder.string() + "/"); at != std::string::npos) {
      text.erase(at, folder.string().size() + 1);
    }
    found[key] = text;
  }
  return found;
}

// The defaults.
std::map<std::string, std::string> settings() {
  const TemporaryFolder empty;
  return settings_of(std::filesystem::canonical(empty.path()));
}

std::string page(const std::string& name) {
  return read_text(kSource / name);
}

// From a heading to the next of its level.
std::string section(const std::string& text, const std::string& heading) {
  const std::size_t begin = text.find("\n## " + heading);
  if (begin == std::string::npos) fail(Cause::NotFound, "no section ", heading);
  return text.substr(begin, text.find("\n## ", begin + 1) - begin);
}

// The first group of every match.
std::set<std::string> all(const std::string& text, const std::string& pattern) {
  const std::regex regex(pattern);
  std::set<std::string> found;
  for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at) {
    found.insert((*at)[1]);
  }
  return found;
}

std::set<std::string> keys(const std::map<std::string, std::string>& map) {
  std::set<std::string> found;
  for (const auto& [key, value] : map) found.insert(key);
  return found;
}

// What users read.
std::string every_page() {
  std::string text = page("README.md");
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "docs")) {
    if (entry.path().extension() == ".md") text += "\n" + read_text(entry.path());
  }
  return text;
}

}  // namespace

TEST_CASE("docs/configuration.md has every setting with its default, and no other") {
  const std::string text = page("docs/configuration.md");
  const auto known = settings();
  REQUIRE(known.size() > 15);
  CHECK(all(text, R"(\n\| `([a-z0-9]+(?:\.[a-z_]+)+)` \|)") == keys(known));
  for (const auto& [key, value] : known) {
    INFO(key << " = " << value);
    CHECK(text.find("\n| `" + key + "` | `" + value + "` |") != std::string::npos);
  }
}

TEST_CASE("config.toml has every setting with its default, and no other") {
  const TemporaryFolder folder;
  const std::string text = page("config.toml");
  write_atomically(folder / "config.toml", text);  // an unknown key would be refused
  CHECK(settings_of(std::filesystem::canonical(folder.path())) == settings());
  std::set<std::string> named;
  std::string table;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("[")) table = line.substr(1, line.find(']') - 1);
    const std::size_t equals = line.find(" = ");
    if (!line.starts_with("#") && equals != std::string::npos) {
      named.insert(table + "." + line.substr(0, equals));
    }
  }
  CHECK(named == keys(settings()));
}

TEST_CASE("docs/operations.md has every table of the database, and no other") {
  std::set<std::string> tables = {"migrations"};
  for (const auto& entry : std::filesystem::directory_iterator(kSource / "migrations")) {
    tables.merge(all("\n" + read_text(entry.path()), R"(\nCREATE TABLE ([a-z_]+))"));
  }
  REQUIRE(tables.size() > 5);
  CHECK(all(section(page("docs/operations.md"), "Tables"), R"(\n\| `([a-z_]+)` \|)") == tables);
}

TEST_CASE("docs/operations.md and --help have the same exit codes") {
  const std::string help = run_program({"--help"}).out;
  const std::size_t line = help.find("Exit codes:");
  REQUIRE(line != std::string::npos);
  const std::set<std::string> codes = all(help.substr(line), R"(([0-9]+) )");
  CHECK(codes == std::set<std::string>{"0", "1", "2", "3", "75"});
  CHECK(all(section(page("docs/operations.md"), "Exit codes"), R"(\n\| ([0-9]+) \|)") == codes);
}

TEST_CASE("docs/operations.md has every key of a job, and no other") {
  const Site site;
  site.write("a.json", "{\"no such key at all\": 1}");
  const std::string error = site.run({"enqueue", "--data", "a.json"}).err;
  const std::size_t list = error.find("(known: ");
  REQUIRE(list != std::string::npos);
  const std::set<std::string> known = all(error.substr(list + 7), R"(([a-z]+)[,)])");
  CHECK(all(section(page("docs/operations.md"), "Data files"), R"(\n\| `([a-z]+)` \|)") == known);
}

TEST_CASE("every command stands in README.md or docs/") {
  const std::string text = every_page();
  for (const auto& command : every_command()) {
    if (command.words.empty()) continue;
    INFO(joined(command.words));
    CHECK(std::regex_search(text, std::regex(joined(command.words) + "\\b")));
  }
}
