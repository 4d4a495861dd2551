// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "store/database.h"
#include "store/job_rows.h"
#include "store/migrations.h"
#include "store/store.h"

namespace affiche::store {
namespace {

State state_of(Connection& connection, std::int64_t id) {
  Query row(connection, "SELECT state FROM jobs WHERE id = ?1", id);
  if (!row.next()) affiche::fail(Cause::NotFound, "job ", id, ": there is no such job");
  return state_from(row.text(0));
}

void set_paused(Database& database, int paused) {
  database.write([&](Connection& connection) {
    Query(connection, "UPDATE queue SET paused = ?1", paused).run();
  });
}

}  // namespace

Store::Store(const std::filesystem::path& file, const Clock& clock)
    : database_(std::make_unique<Database>(file)), clock_(clock) {
  apply_migrations(*database_, built_in_migrations(), clock_.now());
}

Store::~Store() = default;

void Store::retry(std::int64_t id) {
  database_->write([&](Connection& connection) {
    const State state = state_of(connection, id);
    if (state != State::Dead && state != State::Cancelled) {
      affiche::fail(Cause::Conflict, "job ", id, ": expected dead or cancelled, found ",
                    name(state));
    }
    const bool taken = Query(connection,
                             "SELECT 1 FROM jobs a JOIN jobs b ON a.key = b.key AND a.id <> b.id "
                             "WHERE a.id = ?1 AND b.state NOT IN ('dead', 'cancelled')",
                             id)
                           .next();
    if (taken) {
      affiche::fail(Cause::Conflict, "job ", id, ": another job has taken over its key");
    }
    const Millis now = clock_.now();
    Query(connection,
          "UPDATE jobs SET state = 'queued', attempts = 0, run_at = ?2, updated = ?2, error = '', "
          "error_cause = '' WHERE id = ?1 AND state IN ('dead', 'cancelled')",
          id, now)
        .run();
  });
}

State Store::cancel(std::int64_t id) {
  return database_->write([&](Connection& connection) {
    const State state = state_of(connection, id);
    const Millis now = clock_.now();
    switch (state) {
      case State::Queued:
      case State::Retrying:
        Query(connection,
              "UPDATE jobs SET state = 'cancelled', updated = ?2 WHERE id = ?1 "
              "AND state IN ('queued', 'retrying')",
              id, now)
            .run();
        return State::Cancelled;
      case State::Running:
        Query(connection,
              "UPDATE jobs SET cancel_requested = 1, updated = ?2 WHERE id = ?1 "
              "AND state = 'running'",
              id, now)
            .run();
        return State::Running;
      case State::Done:
      case State::Dead:
      case State::Cancelled:
        break;
    }
    affiche::fail(Cause::Conflict, "job ", id, ": expected a job that is not finished, found ",
                  name(state));
  });
}

void Store::pause() {
  set_paused(*database_, 1);
}

void Store::resume() {
  set_paused(*database_, 0);
}

bool Store::paused() const {
  return database_->read([](Connection& connection) {
    Query row(connection, "SELECT paused FROM queue");
    return row.next() && row.integer(0) == 1;
  });
}

std::int64_t Store::prune(std::span<const State> states, Millis before) {
  std::int64_t removed = 0;
  for (const State state : states) {
    if (state != State::Done && state != State::Dead && state != State::Cancelled) {
      affiche::fail(Cause::Usage, "prune: expected done, dead or cancelled, found ", name(state));
    }
    // In pieces, so that workers are not held up.
    int piece = 0;
    do {
      piece = database_->write([&](Connection& connection) {
        return Query(connection,
                     "DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = ?1 "
                     "AND updated < ?2 ORDER BY id LIMIT 500) RETURNING id",
                     name(state), before)
            .run();
      });
      removed += piece;
    } while (piece > 0);
  }
  return removed;
}

std::string Store::integrity_check() const {
  return database_->read([](Connection& connection) {
    std::string found;
    Query rows(connection, "PRAGMA integrity_check");
    while (rows.next()) found += (found.empty() ? "" : "; ") + rows.text(0);
    Query strays(connection, "PRAGMA foreign_key_check");
    if (strays.next()) found += "; a row of " + strays.text(0) + " refers to nothing";
    return found;
  });
}

int Store::schema_version() const {
  return database_->read([](Connection& connection) {
    Query row(connection, "SELECT max(number) FROM migrations");
    return row.next() ? static_cast<int>(row.integer(0)) : 0;
  });
}

}  // namespace affiche::store
