// SPDX-License-Identifier: Apache-2.0
// affiche migrate: bring the database up to this program.
#include "cli/queue.h"
#include "store/migrations.h"

namespace affiche::cli {
namespace {

int migrate(const Shared& shared) {
  const service::Config config = service::load_config(shared.config_file);
  const std::filesystem::path& file = config.paths.database;
  const std::vector<int> applied = store::migrate(file, SystemClock().now());
  const int version = store::built_in_migrations().back().number;
  if (shared.json) {
    print_json({{"database", file.string()}, {"version", version}, {"applied", applied}});
  } else if (shared.verbosity >= 0) {
    std::printf("%s: schema version %d, %zu migrations applied\n", file.c_str(), version,
                applied.size());
  }
  return kDone;
}

}  // namespace

void add_migrate(CLI::App& app, Shared& shared) {
  CLI::App* command = app.add_subcommand(
      "migrate", "bring the database up to this program; every other command does so as well");
  command->footer(
      "Back up first: stop the daemon and copy the database file.\nExample: affiche migrate");
  command->callback([&shared] { shared.run = [&shared] { return migrate(shared); }; });
}

}  // namespace affiche::cli
