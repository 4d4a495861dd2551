// SPDX-License-Identifier: Apache-2.0
// When a failed job is tried again, and which failures are not.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "store/job.h"

namespace affiche::service {

// base · attempts^4 (1 s, 16 s, 81 s, 256 s …), at most cap, then up to a tenth more or less, so
// that jobs that failed together do not come back together. `unit` is a random number in [0, 1).
Millis retry_delay(const store::Backoff& backoff, int attempts, double unit);

// From the kernel's generator, in [0, 1). Thread-safe.
double random_unit();

// The same input would fail again: the job goes dead at once.
bool is_permanent(Cause cause) noexcept;

}  // namespace affiche::service
