// SPDX-License-Identifier: Apache-2.0
#include "service/worker_job.h"

#include <chrono>
#include <new>
#include <thread>

#include "base/error.h"
#include "service/backoff.h"

namespace affiche::service {
namespace {

constexpr int kSettleTries = 6;

// Thrown inside run_job() when the claim turned out to be lost.
struct LostClaim {};

// A database that is busy for a moment must not cost the result of a finished job.
template <typename Function>
auto persistently(Function&& function) {
  for (int attempt = 1;; ++attempt) {
    try {
      return function();
    } catch (const Error& error) {
      if (!error.retryable() || attempt == kSettleTries) throw;
      std::this_thread::sleep_for(std::chrono::milliseconds(50 << attempt));
    }
  }
}

struct Failure {
  Cause cause;
  std::string message;
};

// Stages of an earlier attempt that still hold: those before the first one that is missing or whose
// artifact is gone. What came after it was made from something else and is forgotten.
store::Stages finished_stages(store::Store& store, const store::Artifacts& artifacts,
                              const store::Claim& claim, const std::vector<std::string>& names) {
  store::Stages recorded = store.stages(claim.job_id);
  store::Stages kept;
  bool whole = true;
  for (const std::string& name : names) {
    const auto found = recorded.find(name);
    if (found == recorded.end()) {
      whole = false;
      continue;
    }
    const std::string& artifact = found->second.artifact;
    whole = whole && (artifact.empty() || artifacts.has(artifact));
    if (whole) {
      kept.insert(*found);
    } else {
      store.forget_stage(claim, name);
    }
  }
  return kept;
}

void run_stages(store::Store& store, const store::Artifacts& artifacts, StageRunner& runner,
                const HeldJob& held, Finished& finished) {
  const store::Job& job = finished.job;
  const std::vector<std::string> names = runner.stage_names(job);
  if (names.empty()) fail(Cause::Internal, "job ", job.id, ": expected at least one stage");
  store::Stages done = finished_stages(store, artifacts, held.claim(), names);
  for (const std::string& name : names) {
    const bool last = name == names.back();
    // The last stage is recorded only together with the completion; it always runs.
    if (const auto found = done.find(name); found != done.end() && !last) {
      finished.stages.push_back({name, found->second.ms, true});
      continue;
    }
    if (held.token().stop_requested()) fail(Cause::Cancelled, "job ", job.id, ": stopped");
    const auto start = std::chrono::steady_clock::now();
    const StageResult result = runner.run(job, name, done, held.token());
    const Millis ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::steady_clock::now() - start)
                          .count();
    const store::StageRecord record{name, result.artifact, result.detail, ms};
    const bool ours = persistently([&] {
      return last ? store.complete(held.claim(), record, result.outputs, result.credits)
                  : store.record_stage(held.claim(), record);
    });
    if (!ours) throw LostClaim{};
    finished.stages.push_back({name, ms, false});
    done[name] = record;
    if (last) finished.outputs = result.outputs;
  }
}

Outcome settle_failure(store::Store& store, const store::Backoff& backoff, const HeldJob& held,
                       const store::Job& job, const Failure& failure) {
  const bool told = failure.cause == Cause::Cancelled && held.token().stop_requested();
  if (told && held.reason() == StopReason::Lost) return Outcome::Lost;
  if (told && held.reason() == StopReason::Cancelled) {
    return persistently([&] { return store.finish_cancelled(held.claim()); }) ? Outcome::Cancelled
                                                                              : Outcome::Lost;
  }
  if (told) {
    return persistently([&] { return store.give_back(held.claim()); }) ? Outcome::Returned
                                                                       : Outcome::Lost;
  }
  std::optional<Millis> retry_at;
  if (!is_permanent(failure.cause)) {
    retry_at = store.clock().now() + retry_delay(backoff, job.attempts, random_unit());
  }
  const auto state = persistently(
      [&] { return store.fail(held.claim(), name(failure.cause), failure.message, retry_at); });
  if (!state) return Outcome::Lost;
  return *state == store::State::Retrying    ? Outcome::Retrying
         : *state == store::State::Cancelled ? Outcome::Cancelled
                                             : Outcome::Dead;
}

}  // namespace

// The border of a worker thread: whatever a stage throws becomes a failure of this job alone.
Finished run_job(store::Store& store, const store::Artifacts& artifacts, StageRunner& runner,
                 const store::Backoff& backoff, const store::Job& job, const HeldJob& held) {
  Finished finished{job, Outcome::Done, {}, {}, ""};
  Failure failure{Cause::Internal, ""};
  try {
    run_stages(store, artifacts, runner, held, finished);
    return finished;
  } catch (const LostClaim&) {
    finished.outcome = Outcome::Lost;
    finished.error = "the claim was lost; the result is discarded";
    return finished;
  } catch (const Error& error) {
    failure = {error.cause(), error.what()};
  } catch (const std::bad_alloc&) {
    failure = {Cause::Unavailable, "out of memory"};
  } catch (const std::exception& error) {
    failure = {Cause::Internal, error.what()};
  } catch (...) {
    failure = {Cause::Internal, "an unknown exception"};
  }
  finished.error = failure.message;
  finished.outcome = settle_failure(store, backoff, held, job, failure);
  return finished;
}

}  // namespace affiche::service
