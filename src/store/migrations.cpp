// SPDX-License-Identifier: Apache-2.0
#include "store/migrations.h"

#include <map>

#include "base/error.h"
#include "base/sha256.h"
#include "store/database.h"

namespace affiche::store {
namespace {

void make_table(Connection& connection) {
  if (Query(connection, "SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").next()) return;
  if (Query(connection, "SELECT 1 FROM sqlite_schema WHERE type = 'table'").next()) {
    fail(Cause::Refused, "database ", connection.file(),
         ": expected a database of affiche or a new file, found the tables of another program; set "
         "paths.database in config.toml");
  }
  connection.execute(
      "CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
      "sha256 TEXT NOT NULL, applied INTEGER NOT NULL) STRICT");
}

struct Applied {
  std::string name;
  std::string sha256;
};

std::map<int, Applied> applied_ones(Connection& connection) {
  std::map<int, Applied> applied;
  Query rows(connection, "SELECT number, name, sha256 FROM migrations ORDER BY number");
  while (rows.next()) {
    applied[static_cast<int>(rows.integer(0))] = Applied{rows.text(1), rows.text(2)};
  }
  return applied;
}

void refuse_strangers(const Connection& connection, const std::map<int, Applied>& applied,
                      std::span<const Migration> migrations) {
  std::map<int, const Migration*> known;
  for (const Migration& migration : migrations) known[migration.number] = &migration;
  const int last = migrations.empty() ? 0 : migrations.back().number;
  for (const auto& [number, row] : applied) {
    const auto found = known.find(number);
    if (found == known.end()) {
      fail(Cause::Refused, "database ", connection.file(),
           ": it is newer than this program: it has ", "migration ", number, " (", row.name,
           "), the last one known here is ", last, "; run a newer affiche");
    }
    if (sha256_hex(found->second->sql) != row.sha256) {
      fail(Cause::Refused, "database ", connection.file(), ": migration ", number, " (", row.name,
           ") was applied with another text than this program's; run the affiche that made it");
    }
  }
}

// The check and the change share a transaction, so that two processes cannot both apply it.
bool apply_one(Connection& connection, const Migration& migration, Millis now) {
  const auto applied = applied_ones(connection);
  if (applied.contains(migration.number)) return false;
  if (!applied.empty() && applied.rbegin()->first > migration.number) {
    fail(Cause::Refused, "database ", connection.file(), ": migration ", migration.number, " (",
         migration.name, ") is missing below ", applied.rbegin()->first,
         "; restore the database from a backup");
  }
  connection.execute(std::string(migration.sql));
  Query(connection,
        "INSERT INTO migrations (number, name, sha256, applied) VALUES (?1, ?2, ?3, ?4)",
        migration.number, migration.name, sha256_hex(migration.sql), now)
      .run();
  return true;
}

}  // namespace

std::vector<int> apply_migrations(Database& database, std::span<const Migration> migrations,
                                  Millis now) {
  const bool pending = database.read([&](Connection& connection) {
    if (!Query(connection, "SELECT 1 FROM sqlite_schema WHERE name = 'migrations'").next()) {
      return true;
    }
    const auto applied = applied_ones(connection);
    refuse_strangers(connection, applied, migrations);
    return applied.size() < migrations.size();
  });
  if (!pending) return {};
  database.write(make_table);
  database.read([&](Connection& connection) {
    refuse_strangers(connection, applied_ones(connection), migrations);
  });
  std::vector<int> done;
  for (const Migration& migration : migrations) {
    const bool fresh = database.write(
        [&](Connection& connection) { return apply_one(connection, migration, now); });
    if (fresh) done.push_back(migration.number);
  }
  return done;
}

std::vector<int> migrate(const std::filesystem::path& file, Millis now) {
  Database database(file);
  return apply_migrations(database, built_in_migrations(), now);
}

}  // namespace affiche::store
