// SPDX-License-Identifier: Apache-2.0
#include "store/job_rows.h"

#include "base/json.h"

namespace affiche::store {

Job read_job(const Query& row) {
  Job job;
  job.id = row.integer(0);
  job.key = row.text(1);
  job.template_name = row.text(2);
  job.brand = row.text(3);
  job.variables = row.text(4);
  job.photo = row.text(5);
  job.out = row.text(6);
  job.priority = static_cast<int>(row.integer(7));
  job.run_at = row.integer(8);
  job.state = state_from(row.text(9));
  job.attempts = static_cast<int>(row.integer(10));
  job.max_attempts = static_cast<int>(row.integer(11));
  job.worker = row.text(12);
  job.error = row.text(13);
  job.error_cause = row.text(14);
  job.outputs = texts_from_json(row.text(15));
  job.created = row.integer(16);
  job.updated = row.integer(17);
  job.makes = row.text(18);
  return job;
}

// Paths may hold bytes that are not UTF-8; they are replaced rather than refused.
std::string texts_to_json(const std::vector<std::string>& texts) {
  return Json(texts).dump(-1, ' ', false, Json::error_handler_t::replace);
}

std::vector<std::string> texts_from_json(const std::string& text) {
  std::vector<std::string> texts;
  for (const Json& item : parse_json(text, "a list of texts in the store")) {
    if (item.is_string()) texts.push_back(item.get<std::string>());
  }
  return texts;
}

void end_attempt(Connection& connection, std::int64_t job_id, Millis now, const char* outcome,
                 const std::string& error) {
  Query(connection,
        "UPDATE attempts SET ended = ?2, outcome = ?3, error = ?4 "
        "WHERE job_id = ?1 AND ended IS NULL",
        job_id, now, outcome, error)
      .run();
}

bool holds(Connection& connection, const Claim& claim) {
  return Query(connection,
               "SELECT 1 FROM jobs WHERE id = ?1 AND claim_token = ?2 AND state = 'running'",
               claim.job_id, claim.token)
      .next();
}

}  // namespace affiche::store
