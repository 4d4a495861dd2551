// SPDX-License-Identifier: Apache-2.0
// Claims and leases. A claim is one UPDATE that finds, takes and counts: no other worker can come
// between, and a crash after it has cost an attempt. Whoever holds a job renews its lease; reap()
// takes back what nobody renewed.
#include "base/random.h"
#include "store/database.h"
#include "store/job_rows.h"
#include "store/store.h"

namespace affiche::store {
namespace {

// Both use the index jobs_ready: the same condition on state as the index has.
constexpr const char* kReady =
    "SELECT 1 FROM jobs WHERE state IN ('queued', 'retrying') AND run_at <= ?1 "
    "AND (SELECT paused FROM queue) = 0 LIMIT 1";
constexpr const char* kClaim =
    "UPDATE jobs SET state = 'running', attempts = attempts + 1, claim_token = ?2, "
    "lease_until = ?3, worker = ?4, updated = ?1 "
    "WHERE id = (SELECT id FROM jobs WHERE state IN ('queued', 'retrying') AND run_at <= ?1 "
    "AND (SELECT paused FROM queue) = 0 ORDER BY priority DESC, run_at, id LIMIT 1) "
    "RETURNING " AFFICHE_JOB_COLUMNS;
// run_at: base · attempts^4, at most cap.
constexpr const char* kReap =
    "UPDATE jobs SET state = CASE WHEN cancel_requested = 1 THEN 'cancelled' "
    "WHEN attempts >= max_attempts THEN 'dead' ELSE 'retrying' END, "
    "run_at = ?1 + min(?3, ?2 * attempts * attempts * attempts * attempts), "
    "error = 'worker ' || worker || ' did not renew its lease: it crashed, stopped or lost the "
    "database in attempt ' || attempts || ' of ' || max_attempts, error_cause = 'lost', "
    "cancel_requested = 0, claim_token = NULL, lease_until = NULL, worker = NULL, updated = ?1 "
    "WHERE state = 'running' AND lease_until < ?1 RETURNING " AFFICHE_JOB_COLUMNS;

}  // namespace

std::optional<Claimed> Store::claim(const std::string& worker, Millis lease) {
  // An idle worker's look takes no write lock and costs no sync.
  const bool ready = database_->read(
      [&](Connection& connection) { return Query(connection, kReady, clock_.now()).next(); });
  if (!ready) return std::nullopt;
  return database_->write([&](Connection& connection) -> std::optional<Claimed> {
    const Millis now = clock_.now();
    Claimed claimed;
    claimed.claim.token = random_hex(16);
    {
      Query row(connection, kClaim, now, claimed.claim.token, now + lease, worker);
      if (!row.next()) return std::nullopt;
      claimed.job = read_job(row);
    }
    claimed.claim.job_id = claimed.job.id;
    Query(connection,
          "INSERT INTO attempts (job_id, number, worker, started) VALUES (?1, ?2, ?3, ?4)",
          claimed.job.id, claimed.job.attempts, worker, now)
        .run();
    return claimed;
  });
}

Held Store::heartbeat(const Claim& claim, Millis lease) {
  return database_->write([&](Connection& connection) {
    Query row(connection,
              "UPDATE jobs SET lease_until = ?3 WHERE id = ?1 AND claim_token = ?2 "
              "AND state = 'running' RETURNING cancel_requested",
              claim.job_id, claim.token, clock_.now() + lease);
    if (!row.next()) return Held::Lost;
    return row.integer(0) == 1 ? Held::CancelRequested : Held::Yes;
  });
}

std::vector<Job> Store::reap(const Backoff& backoff) {
  const bool any = database_->read([&](Connection& connection) {
    return Query(connection, "SELECT 1 FROM jobs WHERE state = 'running' AND lease_until < ?1",
                 clock_.now())
        .next();
  });
  if (!any) return {};
  return database_->write([&](Connection& connection) {
    const Millis now = clock_.now();
    std::vector<Job> reaped;
    {
      Query rows(connection, kReap, now, backoff.base, backoff.cap);
      while (rows.next()) reaped.push_back(read_job(rows));
    }
    for (const Job& job : reaped) end_attempt(connection, job.id, now, "lost", job.error);
    return reaped;
  });
}

}  // namespace affiche::store
