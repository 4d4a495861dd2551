// SPDX-License-Identifier: Apache-2.0
// Evidence, take-downs and measures of photographs.
#include "base/error.h"
#include "base/sha256.h"
#include "store/database.h"
#include "store/job_rows.h"
#include "store/store.h"

namespace affiche::store {
namespace {

constexpr std::size_t kLeastPrefix = 12;  // as `affiche photos list` shows

bool is_hex(const std::string& text) {
  return !text.empty() && text.find_first_not_of("0123456789abcdef") == text.npos;
}

// SQLite's integers are signed.
std::int64_t as_signed(std::uint64_t bits) {
  return static_cast<std::int64_t>(bits);
}

struct Candidate {
  std::int64_t job_id;
  State state;
  std::vector<std::string> outputs;
};

// Jobs whose photo stage chose this photograph.
std::vector<Candidate> jobs_showing(Connection& connection, const std::string& photo_id) {
  std::vector<Candidate> found;
  Query rows(connection,
             "SELECT jobs.id, jobs.state, jobs.outputs FROM stages JOIN jobs ON jobs.id = job_id "
             "WHERE stages.name = 'photo' AND json_extract(stages.detail, '$.photo.id') = ?1 "
             "ORDER BY jobs.id",
             photo_id);
  while (rows.next()) {
    found.push_back({rows.integer(0), state_from(rows.text(1)), texts_from_json(rows.text(2))});
  }
  return found;
}

// Whether another job has published over the file since.
bool published_over(Connection& connection, std::int64_t job_id, const std::string& path) {
  return Query(connection,
               "SELECT 1 FROM jobs a, jobs b, json_each(b.outputs) o WHERE a.id = ?1 AND "
               "b.id <> a.id AND b.state = 'done' AND o.value = ?2 AND (b.updated > a.updated OR "
               "(b.updated = a.updated AND b.id > a.id)) LIMIT 1",
               job_id, path)
      .next();
}

// Lets the job choose another photograph, and adds an entry for each of its files.
void choose_again(Connection& connection, const Candidate& job, Millis now,
                  std::vector<AffectedCard>& affected) {
  Query(connection, "DELETE FROM stages WHERE job_id = ?1", job.job_id).run();
  if (job.state == State::Done) {
    // Pages refer to the path: the new card takes the place of the old one.
    const std::optional<std::string> path =
        job.outputs.size() == 1 ? std::optional(job.outputs.front()) : std::nullopt;
    Query(connection,
          "UPDATE jobs SET state = 'queued', attempts = 0, run_at = ?2, updated = ?2, "
          "out = coalesce(?3, out) WHERE id = ?1 AND state = 'done'",
          job.job_id, now, path)
        .run();
  }
  const bool queued = job.state != State::Dead && job.state != State::Cancelled;
  if (job.outputs.empty()) affected.push_back({job.job_id, "", queued});
  for (const std::string& path : job.outputs) affected.push_back({job.job_id, path, queued});
}

// A job is superseded once another one has published over any of its files: to make it again would
// put its card over the newer one. What it has left is never made again.
void revoke_job(Connection& connection, const Candidate& job, Millis now,
                std::vector<AffectedCard>& affected) {
  std::vector<std::string> left;
  if (job.state == State::Done) {
    for (const std::string& path : job.outputs) {
      if (!published_over(connection, job.job_id, path)) left.push_back(path);
    }
    if (left.size() < job.outputs.size()) {
      for (const std::string& path : left) affected.push_back({job.job_id, path, false});
      return;
    }
  }
  choose_again(connection, job, now, affected);
}

// Cards in the ledger that show the photograph and whose job is gone.
void add_orphans(Connection& connection, const std::string& photo_id,
                 std::vector<AffectedCard>& affected) {
  Query rows(connection,
             "SELECT DISTINCT card_path FROM credits c WHERE photo_id = ?1 AND NOT EXISTS "
             "(SELECT 1 FROM jobs WHERE jobs.id = c.job_id) AND NOT EXISTS (SELECT 1 FROM credits "
             "later WHERE later.card_path = c.card_path AND later.id > c.id AND "
             "later.card_sha256 <> c.card_sha256) ORDER BY card_path",
             photo_id);
  while (rows.next()) affected.push_back({0, rows.text(0), false});
}

}  // namespace

void Store::add_evidence(const Evidence& evidence) {
  database_->write([&](Connection& connection) {
    Query(connection,
          "INSERT INTO evidence (photo_id, provider, source_id, page_url, file_url, ruling, raw, "
          "sha256, at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
          evidence.photo_id, evidence.provider, evidence.source_id, evidence.page_url,
          evidence.file_url, evidence.ruling, evidence.raw, sha256_hex(evidence.raw),
          evidence.at != 0 ? evidence.at : clock_.now())
        .run();
  });
}

std::vector<Evidence> Store::evidence(const std::string& photo_id) const {
  return database_->read([&](Connection& connection) {
    std::vector<Evidence> found;
    Query rows(connection,
               "SELECT id, photo_id, provider, source_id, page_url, file_url, ruling, raw, sha256, "
               "at FROM evidence WHERE photo_id = ?1 ORDER BY id DESC",
               photo_id);
    while (rows.next()) {
      found.push_back({rows.integer(0), rows.text(1), rows.text(2), rows.text(3), rows.text(4),
                       rows.text(5), rows.text(6), rows.text(7), rows.text(8), rows.integer(9)});
    }
    return found;
  });
}

std::optional<Revocation> Store::revoked(std::span<const std::string> targets) const {
  return database_->read([&](Connection& connection) -> std::optional<Revocation> {
    for (const std::string& target : targets) {
      Query row(connection, "SELECT target, why, at FROM revocations WHERE target = ?1", target);
      if (row.next()) return Revocation{row.text(0), row.text(1), row.integer(2)};
    }
    return std::nullopt;
  });
}

std::vector<Revocation> Store::revocations() const {
  return database_->read([](Connection& connection) {
    std::vector<Revocation> found;
    Query rows(connection, "SELECT target, why, at FROM revocations ORDER BY at, target");
    while (rows.next()) found.push_back({rows.text(0), rows.text(1), rows.integer(2)});
    return found;
  });
}

std::set<std::string> Store::photos_behind(const std::string& target) const {
  return database_->read([&](Connection& connection) {
    std::set<std::string> found;
    const auto add = [&](const char* sql) {
      Query rows(connection, sql, target);
      while (rows.next()) found.insert(rows.text(0));
    };
    if (is_hex(target) && target.size() >= kLeastPrefix) {
      add("SELECT id FROM photos WHERE substr(id, 1, length(?1)) = ?1");
      add("SELECT photo_id FROM evidence WHERE substr(photo_id, 1, length(?1)) = ?1");
      add("SELECT photo_id FROM credits WHERE substr(photo_id, 1, length(?1)) = ?1");
    } else if (target.find("://") != target.npos) {
      add("SELECT id FROM photos WHERE json_extract(credit, '$.source_url') = ?1");
      add("SELECT photo_id FROM evidence WHERE page_url = ?1 OR file_url = ?1");
      add("SELECT photo_id FROM credits WHERE json_extract(credit, '$.source_url') = ?1");
    } else {
      add("SELECT photo_id FROM evidence WHERE provider || ':' || source_id = ?1");
    }
    return found;
  });
}

std::vector<AffectedCard> Store::revoke(std::span<const std::string> targets,
                                        const std::set<std::string>& photo_ids,
                                        const std::string& why) {
  return database_->write([&](Connection& connection) {
    const Millis now = clock_.now();
    for (const std::string& target : targets) {
      Query(connection,
            "INSERT INTO revocations (target, why, at) VALUES (?1, ?2, ?3) "
            "ON CONFLICT (target) DO NOTHING",
            target, why, now)
          .run();
    }
    std::vector<AffectedCard> affected;
    for (const std::string& id : photo_ids) {
      for (const Candidate& job : jobs_showing(connection, id)) {
        revoke_job(connection, job, now, affected);
      }
      add_orphans(connection, id, affected);
    }
    return affected;
  });
}

void Store::put_measures(const std::string& photo_id, const Measures& measures) {
  database_->write([&](Connection& connection) {
    Query(connection,
          "INSERT INTO measures (photo_id, print, focus, exposure) VALUES "
          "(?1, ?2, CAST(?3 AS REAL), CAST(?4 AS REAL)) ON CONFLICT (photo_id) DO UPDATE SET "
          "print = excluded.print, focus = excluded.focus, exposure = excluded.exposure",
          photo_id, as_signed(measures.print), std::to_string(measures.focus),
          std::to_string(measures.exposure))
        .run();
  });
}

std::optional<Measures> Store::measures(const std::string& photo_id) const {
  return database_->read([&](Connection& connection) -> std::optional<Measures> {
    Query row(connection,
              "SELECT print, CAST(focus AS TEXT), CAST(exposure AS TEXT) FROM measures WHERE "
              "photo_id = ?1",
              photo_id);
    if (!row.next()) return std::nullopt;
    return Measures{static_cast<std::uint64_t>(row.integer(0)), std::stod(row.text(1)),
                    std::stod(row.text(2))};
  });
}

std::vector<Use> Store::uses(const std::string& site, Millis since) const {
  return database_->read([&](Connection& connection) {
    std::vector<Use> found;
    Query rows(connection,
               "SELECT photo_id, json_extract(credit, '$.author'), at FROM credits WHERE "
               "site = ?1 AND at >= ?2 ORDER BY id DESC",
               site, since);
    while (rows.next()) found.push_back({rows.text(0), rows.text(1), rows.integer(2)});
    return found;
  });
}

}  // namespace affiche::store
