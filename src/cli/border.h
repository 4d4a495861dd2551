// SPDX-License-Identifier: Apache-2.0
// The one border of the command line: errors become one message and an exit code here, and nowhere
// below. Not thread-safe.
#pragma once

#include <CLI/CLI.hpp>
#include <string>

#include "cli/command.h"

namespace affiche::cli {

// Adds --config, --json, -v, -q and --version, and lets every subcommand take them as well.
// Call it after all commands were added.
void add_shared_options(CLI::App& app, Shared& shared);

// The check of an option that names an input: wrong usage (exit code 2) when nothing is there.
// `dash` also allows "-" for standard input.
CLI::Validator existing_input(bool dash = false);

// CLI11 reads numbers that do not fit as the largest that does, and takes "nan": both are refused.
CLI::Validator whole_number();
CLI::Validator finite_number();

// Control characters in names from outside would drive the terminal; they become spaces.
std::string printable(std::string text);

// Parses, runs the chosen command and returns the exit code: 0 done, 1 failed, 2 wrong usage or bad
// input, 3 partly done, 75 try later. Errors go to standard error as "affiche: …", or with --json
// to standard output as {"error": …, "cause": …}.
int run_guarded(CLI::App& app, Shared& shared, int argc, const char* const* argv);

}  // namespace affiche::cli
