// SPDX-License-Identifier: Apache-2.0
// What somebody sees who types something wrong, or asks for help.
#include "catch.h"
#include "cli/commands.h"
#include "cli/site.h"

using namespace affiche;
using namespace affiche::test;

namespace {

// One object with exactly these two keys and nothing around it.
void require_error(const Answer& answer, const std::string& cause) {
  INFO(answer.out);
  const Json json = answer.json();
  REQUIRE(json.size() == 2);
  CHECK_FALSE(json.at("error").get<std::string>().empty());
  CHECK(json.at("cause") == cause);
  CHECK(answer.err.empty());
}

}  // namespace

TEST_CASE("every command has help with an example of its own") {
  REQUIRE(every_command().size() >= 30);
  for (const auto& command : every_command()) {
    const std::string name = joined(command.words);
    INFO(name);
    CHECK(command.help.code == 0);
    CHECK(command.help.err.empty());
    CHECK(command.help.says("Example: " + name));
  }
}

TEST_CASE("a mistyped option or command is exit code 2 and names the nearest") {
  const std::vector<std::pair<Words, std::string>> mistakes = {
      {{"generate", "--widht", "64"}, "did you mean '--width'?"},
      {{"enqueue", "--templte=article"}, "did you mean '--template'?"},
      {{"jobs", "list", "--jsn"}, "did you mean '--json'?"},
      {{"photos", "imprt", "x"}, "did you mean 'import'?"},
      {{"jobs", "lst"}, "did you mean 'list'?"},
      {{"enque"}, "did you mean 'enqueue'?"},
      {{"run", "--drian"}, "did you mean '--drain'?"},
  };
  for (const auto& [words, hint] : mistakes) {
    const Answer answer = run_program(words);
    INFO(joined(words) << ": " << answer.err);
    CHECK(answer.code == 2);
    CHECK(answer.err.starts_with("affiche: "));
    CHECK(answer.says(hint));
    CHECK(answer.out.empty());
  }
}

TEST_CASE("no command, a command without its subcommand and a wrong value are exit code 2") {
  for (const Words& words :
       {Words{}, Words{"jobs"}, Words{"photos"}, Words{"jobs", "show"}, Words{"jobs", "show", "x"},
        Words{"credits", "--format", "pdf"}, Words{"jobs", "list", "--state", "lost"},
        Words{"enqueue", "--template", "plain", "--priority", "1001"},
        Words{"jobs", "prune", "--older", "-1"}}) {
    const Site site;
    const Answer answer = site.run(words);
    INFO(joined(words) << ": " << answer.err);
    CHECK(answer.code == 2);
    CHECK(answer.err.starts_with("affiche: "));
  }
}

TEST_CASE("an unknown setting is named with file, line and the nearest one") {
  const Site site;
  site.write("other.toml", "[work]\nworkers = 1\nlease_second = 60\n");
  const Answer answer = site.run({"jobs", "list", "--config", "other.toml"});
  CHECK(answer.code == 2);
  CHECK(answer.says("other.toml:3:"));
  CHECK(answer.says("work.lease_second"));
  CHECK(answer.says("did you mean 'lease_seconds'?"));
}

TEST_CASE("a settings file that is missing, damaged or out of range is exit code 2") {
  const Site site;
  site.write("damaged.toml", "[work\nworkers = 1\n");
  site.write("range.toml", "[work]\nworkers = 65\n");
  site.write("type.toml", "[paths]\ndatabase = 7\n");
  site.write("policy.toml", "[photos]\nalso_allow = [\"CC-BY-NC-4.0\"]\n");
  for (const char* file :
       {"missing.toml", "damaged.toml", "range.toml", "type.toml", "policy.toml"}) {
    const Answer answer = site.run({"jobs", "list", "--config", file});
    INFO(answer.err);
    CHECK(answer.code == 2);
    CHECK(answer.says(file));
  }
}

TEST_CASE("with --json an error is one object with error and cause, wherever --json stands") {
  const Site site;
  require_error(site.run({"--json", "jobs", "show", "7"}), "not_found");
  require_error(site.run({"jobs", "show", "7", "--json"}), "not_found");
  require_error(site.run({"jobs", "list", "--lmit", "3", "--json"}), "usage");
  require_error(site.run({"--json", "jobs", "--config", "missing.toml", "list"}), "usage");
  site.write("other.toml", "wrok = 1\n");
  require_error(site.run({"jobs", "list", "--json", "--config", "other.toml"}), "bad_input");
}

TEST_CASE("the version is one line, -q silences, and every command takes -v") {
  const Answer version = run_program({"--version"});
  CHECK(version.code == 0);
  CHECK(version.out.starts_with("affiche "));
  CHECK(version.out.find('\n') == version.out.size() - 1);

  const Site site;
  const Words enqueue = {"enqueue", "--template", "plain", "--set", "headline=Tides"};
  CHECK(site.run(enqueue).out == "1 job entered; `affiche run` makes the cards\n");
  Words quiet = enqueue;
  quiet.emplace_back("-q");
  CHECK(site.run(quiet).out.empty());
  CHECK(site.run({"-v", "jobs", "list"}).code == 0);
  CHECK(site.run({"jobs", "list", "-v"}).code == 0);
}

TEST_CASE("a name from outside cannot drive the terminal") {
  const Site site;
  const Answer answer = site.run({"compose", "--template", "\x1b[31mred", "--out", "a.jpg"});
  CHECK(answer.code == 1);
  CHECK(answer.err.find('\x1b') == std::string::npos);
}

TEST_CASE("a new template is good and suits every shipped brand") {
  const TemporaryFolder folder;
  Surroundings around;
  around.folder = folder.path();
  REQUIRE(run_program({"template", "new", "mine"}, around).code == 0);
  CHECK(run_program({"template", "check", "mine.toml"}, around).code == 0);
  for (const std::string brand : {"atelier", "demo", "harbour", "signal"}) {
    const auto file = std::filesystem::path(AFFICHE_SOURCE_DIR) / "brands" / (brand + ".toml");
    const Answer answer = run_program(
        {"preview", "mine.toml", "--brand", file.string(), "--out", brand + ".jpg"}, around);
    INFO(answer.err);
    CHECK(answer.code == 0);
    CHECK(std::filesystem::exists(folder / (brand + ".jpg")));
  }
  CHECK(run_program({"template", "new", "mine"}, around).code == 2);
}
