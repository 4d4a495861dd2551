// SPDX-License-Identifier: Apache-2.0
// The seam between the worker, which knows jobs, leases and attempts, and what makes a card.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "store/job.h"
#include "store/records.h"

namespace affiche::service {

struct StageResult {
  std::string artifact;       // SHA-256 of bytes put into the artifact folder; may be empty
  std::string detail = "{}";  // JSON object for later stages and for `jobs show`
  // Of the last stage only: the finished files, and one entry for each file and photograph (job_id,
  // id and at are filled in by the worker and the store).
  std::vector<std::string> outputs;
  std::vector<store::CreditEntry> credits;
};

class StageRunner {
 public:
  virtual ~StageRunner() = default;
  // In order, at least one. May depend on the job. Throws Error as run() does.
  virtual std::vector<std::string> stage_names(const store::Job& job) = 0;
  // Called from several threads at once, for different jobs. `done` holds the earlier stages of
  // this job, perhaps finished by a process that crashed since: a stage may run again after it ran,
  // so it must be idempotent. When `stop` is requested, throw Cancelled soon. Errors: BadInput,
  // Refused, NotFound and Usage are permanent; all others are tried again.
  virtual StageResult run(const store::Job& job, const std::string& stage,
                          const store::Stages& done, std::stop_token stop) = 0;
};

}  // namespace affiche::service
