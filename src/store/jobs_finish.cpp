// SPDX-License-Identifier: Apache-2.0
// How a claim ends. Every statement repeats id, token and state: the worker whose lease ended
// changes nothing, and its result is discarded.
#include <algorithm>

#include "base/error.h"
#include "store/database.h"
#include "store/job_rows.h"
#include "store/ledger_rows.h"
#include "store/store.h"

namespace affiche::store {
namespace {

void write_stage(Connection& connection, std::int64_t job_id, const StageRecord& stage,
                 Millis now) {
  const std::optional<std::string> artifact =
      stage.artifact.empty() ? std::nullopt : std::optional<std::string>(stage.artifact);
  Query(connection,
        "INSERT INTO stages (job_id, name, artifact, detail, ms, finished) "
        "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (job_id, name) DO UPDATE SET "
        "artifact = excluded.artifact, detail = excluded.detail, ms = excluded.ms, "
        "finished = excluded.finished",
        job_id, stage.name, artifact, stage.detail, stage.ms, now)
      .run();
}

// A take-down that came after the photograph was chosen.
bool shows_revoked(Connection& connection, std::span<const CreditEntry> credits) {
  return std::any_of(credits.begin(), credits.end(), [&](const CreditEntry& entry) {
    return Query(connection, "SELECT 1 FROM revocations WHERE target = ?1",
                 "sha256:" + entry.photo_id)
        .next();
  });
}

// To the queue, uncounted and without what was made from the photograph.
void put_back(Connection& connection, std::int64_t job_id, Millis now) {
  Query(connection, "DELETE FROM stages WHERE job_id = ?1", job_id).run();
  Query(connection,
        "UPDATE jobs SET state = CASE WHEN cancel_requested = 1 THEN 'cancelled' ELSE 'queued' "
        "END, attempts = attempts - 1, cancel_requested = 0, claim_token = NULL, "
        "lease_until = NULL, worker = NULL, updated = ?2 WHERE id = ?1",
        job_id, now)
      .run();
  end_attempt(connection, job_id, now, "returned", "its photograph was taken down");
}

}  // namespace

bool Store::record_stage(const Claim& claim, const StageRecord& stage) {
  return database_->write([&](Connection& connection) {
    if (!holds(connection, claim)) return false;
    write_stage(connection, claim.job_id, stage, clock_.now());
    return true;
  });
}

bool Store::forget_stage(const Claim& claim, const std::string& stage) {
  return database_->write([&](Connection& connection) {
    if (!holds(connection, claim)) return false;
    Query(connection, "DELETE FROM stages WHERE job_id = ?1 AND name = ?2", claim.job_id, stage)
        .run();
    return true;
  });
}

bool Store::complete(const Claim& claim, const StageRecord& last,
                     const std::vector<std::string>& outputs,
                     std::span<const CreditEntry> credits) {
  return database_->write([&](Connection& connection) {
    const Millis now = clock_.now();
    if (shows_revoked(connection, credits)) {
      if (holds(connection, claim)) put_back(connection, claim.job_id, now);
      return false;
    }
    const int changed =
        Query(connection,
              "UPDATE jobs SET state = 'done', outputs = ?3, error = '', error_cause = '', "
              "cancel_requested = 0, claim_token = NULL, lease_until = NULL, worker = NULL, "
              "updated = ?4 WHERE id = ?1 AND claim_token = ?2 AND state = 'running' RETURNING id",
              claim.job_id, claim.token, texts_to_json(outputs), now)
            .run();
    if (changed != 1) return false;
    write_stage(connection, claim.job_id, last, now);
    for (CreditEntry entry : credits) {
      entry.job_id = claim.job_id;
      insert_credit(connection, entry, now);
    }
    end_attempt(connection, claim.job_id, now, "done", "");
    return true;
  });
}

std::optional<State> Store::fail(const Claim& claim, const std::string& cause,
                                 const std::string& message, std::optional<Millis> retry_at) {
  return database_->write([&](Connection& connection) -> std::optional<State> {
    const Millis now = clock_.now();
    State state = State::Dead;
    {
      Query row(connection,
                "UPDATE jobs SET state = CASE WHEN cancel_requested = 1 THEN 'cancelled' "
                "WHEN ?5 IS NULL OR attempts >= max_attempts THEN 'dead' ELSE 'retrying' END, "
                "run_at = coalesce(?5, run_at), error_cause = ?3, error = ?4, "
                "cancel_requested = 0, claim_token = NULL, lease_until = NULL, worker = NULL, "
                "updated = ?6 WHERE id = ?1 AND claim_token = ?2 AND state = 'running' "
                "RETURNING state",
                claim.job_id, claim.token, cause, message, retry_at, now);
      if (!row.next()) return std::nullopt;
      state = state_from(row.text(0));
    }
    end_attempt(connection, claim.job_id, now, name(state), message);
    return state;
  });
}

bool Store::give_back(const Claim& claim) {
  return database_->write([&](Connection& connection) {
    const Millis now = clock_.now();
    const int changed =
        Query(connection,
              "UPDATE jobs SET state = CASE WHEN cancel_requested = 1 THEN 'cancelled' "
              "WHEN attempts > 1 THEN 'retrying' ELSE 'queued' END, attempts = attempts - 1, "
              "cancel_requested = 0, claim_token = NULL, lease_until = NULL, worker = NULL, "
              "updated = ?3 WHERE id = ?1 AND claim_token = ?2 AND state = 'running' RETURNING id",
              claim.job_id, claim.token, now)
            .run();
    if (changed != 1) return false;
    end_attempt(connection, claim.job_id, now, "returned", "");
    return true;
  });
}

bool Store::finish_cancelled(const Claim& claim) {
  return database_->write([&](Connection& connection) {
    const Millis now = clock_.now();
    const int changed =
        Query(connection,
              "UPDATE jobs SET state = 'cancelled', cancel_requested = 0, claim_token = NULL, "
              "lease_until = NULL, worker = NULL, updated = ?3 "
              "WHERE id = ?1 AND claim_token = ?2 AND state = 'running' RETURNING id",
              claim.job_id, claim.token, now)
            .run();
    if (changed != 1) return false;
    end_attempt(connection, claim.job_id, now, "cancelled", "");
    return true;
  });
}

}  // namespace affiche::store
