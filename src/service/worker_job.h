// SPDX-License-Identifier: Apache-2.0
// One claimed job from its first unfinished stage to its settlement.
#pragma once

#include "service/worker.h"
#include "service/worker_leases.h"

namespace affiche::service {

// Runs the stages and settles the claim: done, retrying, dead, cancelled or returned; lost when
// somebody else has the job by now. Throws Unavailable only when the store could not be told.
Finished run_job(store::Store& store, const store::Artifacts& artifacts, StageRunner& runner,
                 const store::Backoff& backoff, const store::Job& job, const HeldJob& held);

}  // namespace affiche::service
