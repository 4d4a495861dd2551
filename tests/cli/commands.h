// SPDX-License-Identifier: Apache-2.0
// Every command and subcommand, as --help lists them.
#pragma once

#include <sstream>

#include "cli/program.h"

namespace affiche::test {

using Words = std::vector<std::string>;

inline std::string joined(const Words& words) {
  std::string text = "affiche";
  for (const std::string& word : words) text += " " + word;
  return text;
}

// Names in the section "Subcommands:" of a help text.
inline Words subcommands_in(const std::string& help) {
  Words names;
  std::istringstream lines(help);
  bool inside = false;
  for (std::string line; std::getline(lines, line);) {
    if (line == "Subcommands:") {
      inside = true;
    } else if (line.empty()) {
      inside = false;
    } else if (inside && line.starts_with("  ") && line[2] != ' ') {
      names.push_back(line.substr(2, line.find(' ', 2) - 2));
    }
  }
  return names;
}

struct Command {
  Words words;  // {"jobs", "list"}; empty for the program itself
  Answer help;
};

inline void collect(const Words& words, std::vector<Command>& found) {
  Words asking = words;
  asking.emplace_back("--help");
  found.push_back({words, run_program(asking)});
  for (const std::string& name : subcommands_in(found.back().help.out)) {
    Words deeper = words;
    deeper.push_back(name);
    collect(deeper, found);
  }
}

inline const std::vector<Command>& every_command() {
  static const std::vector<Command> kFound = [] {
    std::vector<Command> found;
    collect({}, found);
    return found;
  }();
  return kFound;
}

}  // namespace affiche::test
