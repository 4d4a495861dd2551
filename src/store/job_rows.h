// SPDX-License-Identifier: Apache-2.0
// Rows of the table jobs as values. For store/ only.
#pragma once

#include <string>
#include <vector>

#include "store/database.h"
#include "store/job.h"

// The columns that read_job() expects, first in the row.
#define AFFICHE_JOB_COLUMNS                                                              \
  "id, key, template, brand, variables, photo, out, priority, run_at, state, attempts, " \
  "max_attempts, worker, error, error_cause, outputs, created, updated, makes"

namespace affiche::store {

Job read_job(const Query& row);
std::string texts_to_json(const std::vector<std::string>& texts);
std::vector<std::string> texts_from_json(const std::string& text);
// Closes the open attempt of a job.
void end_attempt(Connection& connection, std::int64_t job_id, Millis now, const char* outcome,
                 const std::string& error);
// Whether the claim still holds its job. Inside a write transaction it then holds until the commit.
bool holds(Connection& connection, const Claim& claim);

}  // namespace affiche::store
