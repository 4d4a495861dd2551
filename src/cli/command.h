// SPDX-License-Identifier: Apache-2.0
// What every command shares. One file per command; each add_…() registers a subcommand whose
// callback sets Shared::run, and main() runs it inside the one border that turns errors into text.
#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace affiche::cli {

struct Shared {
  std::string config_file;   // --config; empty: looked for in the usual places
  bool json = false;         // --json: machine-readable output on standard output
  int verbosity = 0;         // -v adds one, -q takes one away
  std::function<int()> run;  // set by the chosen subcommand; returns the exit code
};

void add_serve(CLI::App& app, Shared& shared);
void add_enqueue(CLI::App& app, Shared& shared);
void add_run(CLI::App& app, Shared& shared);
void add_jobs(CLI::App& app, Shared& shared);
void add_bench(CLI::App& app, Shared& shared);
void add_bench_model(CLI::App& bench, Shared& shared);  // below bench
void add_compose(CLI::App& app, Shared& shared);
void add_preview(CLI::App& app, Shared& shared);
void add_template(CLI::App& app, Shared& shared);
void add_generate(CLI::App& app, Shared& shared);
void add_photos(CLI::App& app, Shared& shared);
// Subcommands of `photos`: licences, revoke, audit.
void add_photos_search(CLI::App& photos, Shared& shared);
void add_photo_rights(CLI::App& photos, Shared& shared);
void add_photos_get(CLI::App& photos, Shared& shared);  // below photos
void add_credits(CLI::App& app, Shared& shared);
void add_lora(CLI::App& app, Shared& shared);
void add_model(CLI::App& app, Shared& shared);
void add_recipe(CLI::App& app, Shared& shared);
void add_train(CLI::App& app, Shared& shared);
void add_migrate(CLI::App& app, Shared& shared);
void add_doctor(CLI::App& app, Shared& shared);

}  // namespace affiche::cli
