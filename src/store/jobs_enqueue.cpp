// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "base/json.h"
#include "store/database.h"
#include "store/store.h"

namespace affiche::store {
namespace {

constexpr std::size_t kMaxJsonBytes = 1u << 20;

void check(const NewJob& job, std::size_t index) {
  const std::string what = "job " + std::to_string(index + 1);
  if (job.template_name.empty()) affiche::fail(Cause::BadInput, what, ": template is missing");
  if (job.key.size() > 200) {
    affiche::fail(Cause::BadInput, what, ": key: expected at most 200 bytes, found ",
                  job.key.size());
  }
  if (job.priority < -1000 || job.priority > 1000) {
    affiche::fail(Cause::BadInput, what, ": priority: expected -1000 to 1000, found ",
                  job.priority);
  }
  if (job.max_attempts < 1 || job.max_attempts > 100) {
    affiche::fail(Cause::BadInput, what, ": max_attempts: expected 1 to 100, found ",
                  job.max_attempts);
  }
  if (job.variables.size() > kMaxJsonBytes || job.photo.size() > kMaxJsonBytes) {
    affiche::fail(Cause::BadInput, what, ": expected at most 1 MiB of variables and photo");
  }
  if (!parse_json(job.variables, what + ": set").is_object()) {
    affiche::fail(Cause::BadInput, what, ": set: expected an object of variables");
  }
  parse_json(job.photo, what + ": photo");
  if (job.makes.size() > kMaxJsonBytes || !parse_json(job.makes, what + ": outputs").is_array()) {
    affiche::fail(Cause::BadInput, what, ": outputs: expected a list of at most 1 MiB");
  }
}

Enqueued insert(Connection& connection, const NewJob& job, Millis now) {
  const std::optional<std::string> key =
      job.key.empty() ? std::nullopt : std::optional<std::string>(job.key);
  Query inserted(connection,
                 "INSERT INTO jobs (key, template, brand, variables, photo, out, priority, run_at, "
                 "state, max_attempts, created, updated, makes) "
                 "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 'queued', ?9, ?10, ?10, ?11) "
                 "ON CONFLICT (key) WHERE key IS NOT NULL AND state NOT IN ('dead', 'cancelled') "
                 "DO NOTHING RETURNING id",
                 key, job.template_name, job.brand, job.variables, job.photo, job.out, job.priority,
                 job.run_at.value_or(now), job.max_attempts, now, job.makes);
  if (inserted.next()) return {inserted.integer(0), false};
  Query present(connection,
                "SELECT id FROM jobs WHERE key = ?1 AND key IS NOT NULL "
                "AND state NOT IN ('dead', 'cancelled')",
                key);
  if (!present.next()) affiche::fail(Cause::Internal, "job with key ", job.key, ": vanished");
  return {present.integer(0), true};
}

}  // namespace

std::vector<Enqueued> Store::enqueue(std::span<const NewJob> jobs) {
  for (std::size_t i = 0; i < jobs.size(); ++i) check(jobs[i], i);
  return database_->write([&](Connection& connection) {
    const Millis now = clock_.now();
    std::vector<Enqueued> result;
    result.reserve(jobs.size());
    for (const NewJob& job : jobs) result.push_back(insert(connection, job, now));
    return result;
  });
}

}  // namespace affiche::store
