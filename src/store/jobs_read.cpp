// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "store/database.h"
#include "store/job_rows.h"
#include "store/store.h"

namespace affiche::store {

std::optional<Job> Store::job(std::int64_t id) const {
  return database_->read([&](Connection& connection) -> std::optional<Job> {
    Query row(connection, "SELECT " AFFICHE_JOB_COLUMNS " FROM jobs WHERE id = ?1", id);
    if (!row.next()) return std::nullopt;
    return read_job(row);
  });
}

std::vector<Job> Store::jobs(const JobFilter& filter) const {
  return database_->read([&](Connection& connection) {
    std::vector<Job> jobs;
    Query rows(connection, "SELECT " AFFICHE_JOB_COLUMNS " FROM jobs WHERE id > ?1 ORDER BY id",
               filter.after_id);
    while (rows.next()) {
      Job job = read_job(rows);
      const bool wanted =
          filter.states.empty() ||
          std::find(filter.states.begin(), filter.states.end(), job.state) != filter.states.end();
      if (wanted) jobs.push_back(std::move(job));
      if (filter.limit > 0 && jobs.size() == static_cast<std::size_t>(filter.limit)) break;
    }
    return jobs;
  });
}

Stages Store::stages(std::int64_t job_id) const {
  return database_->read([&](Connection& connection) {
    Stages stages;
    Query rows(connection, "SELECT name, artifact, detail, ms FROM stages WHERE job_id = ?1",
               job_id);
    while (rows.next()) {
      StageRecord stage{rows.text(0), rows.text(1), rows.text(2), rows.integer(3)};
      stages[stage.name] = std::move(stage);
    }
    return stages;
  });
}

std::vector<Attempt> Store::attempts(std::int64_t job_id) const {
  return database_->read([&](Connection& connection) {
    std::vector<Attempt> attempts;
    Query rows(connection,
               "SELECT number, worker, started, ended, outcome, error FROM attempts "
               "WHERE job_id = ?1 ORDER BY id",
               job_id);
    while (rows.next()) {
      Attempt attempt;
      attempt.number = static_cast<int>(rows.integer(0));
      attempt.worker = rows.text(1);
      attempt.started = rows.integer(2);
      if (!rows.is_null(3)) attempt.ended = rows.integer(3);
      attempt.outcome = rows.text(4);
      attempt.error = rows.text(5);
      attempts.push_back(std::move(attempt));
    }
    return attempts;
  });
}

Counts Store::counts() const {
  return database_->read([](Connection& connection) {
    Counts counts;
    Query rows(connection, "SELECT state, count(*) FROM jobs GROUP BY state");
    while (rows.next()) {
      const std::int64_t count = rows.integer(1);
      switch (state_from(rows.text(0))) {
        case State::Queued:
          counts.queued = count;
          break;
        case State::Running:
          counts.running = count;
          break;
        case State::Retrying:
          counts.retrying = count;
          break;
        case State::Done:
          counts.done = count;
          break;
        case State::Dead:
          counts.dead = count;
          break;
        case State::Cancelled:
          counts.cancelled = count;
          break;
      }
    }
    return counts;
  });
}

std::optional<Millis> Store::next_run_at() const {
  return database_->read([](Connection& connection) -> std::optional<Millis> {
    Query row(connection, "SELECT min(run_at) FROM jobs WHERE state IN ('queued', 'retrying')");
    if (!row.next() || row.is_null(0)) return std::nullopt;
    return row.integer(0);
  });
}

bool Store::any_running() const {
  return database_->read([](Connection& connection) {
    return Query(connection, "SELECT 1 FROM jobs WHERE state = 'running' LIMIT 1").next();
  });
}

}  // namespace affiche::store
