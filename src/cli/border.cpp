// SPDX-License-Identifier: Apache-2.0
#include "cli/border.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <new>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"

namespace affiche::cli {

std::string printable(std::string text) {
  std::replace_if(
      text.begin(), text.end(),
      [](unsigned char c) { return (c < 0x20 && c != '\n' && c != '\t') || c == 0x7f; }, ' ');
  return text;
}

namespace {

void take_shared_options_everywhere(CLI::App& app) {
  for (CLI::App* command : app.get_subcommands({})) {
    command->fallthrough();
    take_shared_options_everywhere(*command);
  }
}

int report(const Shared& shared, Cause cause, const std::string& message) {
  if (shared.json) {
    const Json answer = {{"error", message}, {"cause", name(cause)}};
    std::puts(answer.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  } else {
    std::fprintf(stderr, "affiche: %s\n", printable(message).c_str());
  }
  return exit_code(cause);
}

// The innermost command named on the command line.
const CLI::App* chosen(const CLI::App* app) {
  while (!app->get_subcommands().empty()) app = app->get_subcommands().front();
  return app;
}

// "--widht: unknown option (did you mean '--width'?)", for options and for commands.
std::string explain_extras(const CLI::App& app) {
  const CLI::App* command = chosen(&app);
  std::vector<std::string> extras = command->remaining();
  for (const std::string& extra : app.remaining(true)) extras.push_back(extra);
  const std::string word = extras.empty() ? "" : extras.front().substr(0, extras.front().find('='));
  const bool option = !word.empty() && word[0] == '-';
  std::vector<std::string> known;
  for (const CLI::App* at = command; at != nullptr; at = at->get_parent()) {
    for (const CLI::Option* each : at->get_options()) {
      for (const std::string& flag : each->get_lnames()) known.push_back("--" + flag);
    }
  }
  if (!option) {
    known.clear();
    for (const CLI::App* each : command->get_subcommands({})) known.push_back(each->get_name());
  }
  const std::string kind = option          ? "unknown option"
                           : known.empty() ? "unexpected"
                                           : "unknown command";
  const std::string where = command == &app ? "" : command->get_name() + ": ";
  return where + word + ": " + kind + (known.empty() ? "" : suggestion(word, known)) +
         "; --help lists what there is";
}

int usage(const CLI::App& app, const Shared& shared, const CLI::ParseError& error) {
  if (error.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success)) return app.exit(error);
  // A mistyped word also leaves "a subcommand is required", which would hide it.
  const bool extras = !app.remaining(true).empty();
  return report(shared, Cause::Usage, extras ? explain_extras(app) : error.what());
}

}  // namespace

void add_shared_options(CLI::App& app, Shared& shared) {
  app.add_option("--config", shared.config_file, "settings; see docs/configuration.md")
      ->type_name("FILE")
      ->check(existing_input());
  app.add_flag("--json", shared.json, "machine-readable output on standard output");
  app.add_flag_function(
      "-v,--verbose", [&shared](std::int64_t n) { shared.verbosity += static_cast<int>(n); },
      "say more");
  app.add_flag_function(
      "-q,--quiet", [&shared](std::int64_t n) { shared.verbosity -= static_cast<int>(n); },
      "say less");
  app.set_version_flag("--version", "affiche " AFFICHE_VERSION);
  take_shared_options_everywhere(app);
}

CLI::Validator existing_input(bool dash) {
  return {[dash](std::string& place) -> std::string {
            std::error_code unreadable;
            const bool there = (dash && place == "-") || std::filesystem::exists(place, unreadable);
            return there ? "" : place + ": there is no such file or folder";
          },
          ""};
}

CLI::Validator whole_number() {
  return {[](std::string& word) -> std::string {
            std::int64_t value = 0;
            const auto [end, error] =
                std::from_chars(word.data(), word.data() + word.size(), value);
            const bool good = error == std::errc() && end == word.data() + word.size();
            return good ? "" : word + ": expected a whole number of at most 63 bits";
          },
          ""};
}

CLI::Validator finite_number() {
  return {[](std::string& word) -> std::string {
            double value = 0;
            const auto [end, error] =
                std::from_chars(word.data(), word.data() + word.size(), value);
            const bool good = error == std::errc() && end == word.data() + word.size();
            return good && std::isfinite(value) ? "" : word + ": expected a finite number";
          },
          ""};
}

int run_guarded(CLI::App& app, Shared& shared, int argc, const char* const* argv) {
  try {
    app.parse(argc, argv);
    if (!shared.run) fail(Cause::Usage, "no command given; affiche --help lists them");
    return shared.run();
  } catch (const CLI::ParseError& error) {
    // --json may stand behind the mistake, where parsing did not come to it.
    shared.json = shared.json || std::find_if(argv, argv + argc, [](const char* word) {
                                   return std::string_view(word) == "--json";
                                 }) != argv + argc;
    return usage(app, shared, error);
  } catch (const Error& error) {
    return report(shared, error.cause(), error.what());
  } catch (const std::bad_alloc&) {
    return report(shared, Cause::Unavailable, "out of memory; free some or lower the sizes");
  } catch (const std::exception& error) {
    return report(shared, Cause::Internal, error.what());
  }
}

}  // namespace affiche::cli
