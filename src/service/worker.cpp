// SPDX-License-Identifier: Apache-2.0
#include "service/worker.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/random.h"
#include "service/worker_job.h"
#include "service/worker_leases.h"

namespace affiche::service {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr milliseconds kStopAgain{100};

// A new one at each start, so that the claims of an earlier life are never taken for ours.
std::string boot_name() {
  char host[256] = {};
  if (::gethostname(host, sizeof host - 1) != 0) host[0] = '\0';
  return concat(host, ":", ::getpid(), ":", random_hex(4));
}

const char* label(Outcome outcome) {
  switch (outcome) {
    case Outcome::Done:
      return "job done";
    case Outcome::Retrying:
      return "job will be tried again";
    case Outcome::Dead:
      return "job is dead";
    case Outcome::Cancelled:
      return "job cancelled";
    case Outcome::Returned:
      return "job given back";
    case Outcome::Lost:
      return "job lost to another worker";
  }
  return "job";
}

void count(Summary& summary, Outcome outcome) {
  switch (outcome) {
    case Outcome::Done:
      ++summary.done;
      break;
    case Outcome::Retrying:
      ++summary.retrying;
      break;
    case Outcome::Dead:
      ++summary.dead;
      break;
    case Outcome::Cancelled:
      ++summary.cancelled;
      break;
    case Outcome::Returned:
      ++summary.returned;
      break;
    case Outcome::Lost:
      ++summary.lost;
      break;
  }
}

}  // namespace

Worker::Worker(store::Store& store, const store::Artifacts& artifacts, StageRunner& runner,
               WorkerSettings settings, Log& log, std::function<void(const Finished&)> on_finished)
    : store_(store),
      artifacts_(artifacts),
      runner_(runner),
      settings_(settings),
      log_(log),
      on_finished_(std::move(on_finished)),
      leases_(std::make_unique<Leases>(store, settings.lease)) {}

Worker::~Worker() = default;

Summary Worker::serve() {
  return work(Mode::Serve);
}

Summary Worker::drain() {
  return work(Mode::Drain);
}

void Worker::stop() {
  const std::lock_guard lock(mutex_);
  stopping_ = true;
  changed_.notify_all();
}

void Worker::wake() {
  const std::lock_guard lock(mutex_);
  ++wakes_;
  changed_.notify_all();
}

Summary Worker::work(Mode mode) {
  const std::string boot = boot_name();
  std::atomic<bool> over = false;
  std::thread keeper([&] { keep(over); });
  std::vector<std::thread> threads;
  for (int i = 0; i < std::max(1, settings_.workers); ++i) {
    threads.emplace_back([&, i] { claim_and_run(mode, concat(boot, "/", i)); });
  }
  for (std::thread& thread : threads) thread.join();
  {
    const std::lock_guard lock(mutex_);
    over = true;
    changed_.notify_all();
  }
  keeper.join();
  if (!failure_.empty()) fail(Cause::Unavailable, "the worker stopped: ", failure_);
  if (mode == Mode::Drain) {
    summary_.paused = store_.paused();
    summary_.left_waiting = store_.next_run_at().has_value();
  }
  return summary_;
}

void Worker::claim_and_run(Mode mode, const std::string& name) {
  try {
    for (;;) {
      std::uint64_t seen = 0;
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) return;
        seen = wakes_;
      }
      const std::optional<store::Claimed> claimed = store_.claim(name, settings_.lease);
      if (!claimed) {
        if (mode == Mode::Drain && drained()) return;
        wait_for_work(seen);
        continue;
      }
      const std::shared_ptr<HeldJob> held = leases_->hold(claimed->claim);
      log_.debug("job claimed", {{"job", std::to_string(claimed->job.id)}, {"worker", name}});
      const Finished finished =
          run_job(store_, artifacts_, runner_, settings_.backoff, claimed->job, *held);
      leases_->release(held);
      report(finished);
    }
  } catch (const std::exception& error) {
    give_up(error.what());
  }
}

bool Worker::drained() {
  if (store_.paused()) return true;
  if (store_.any_running()) return false;
  const std::optional<Millis> next = store_.next_run_at();
  return !next || *next > store_.clock().now() + settings_.drain_horizon;
}

// `seen` was read before the queue was looked at, so that no wake in between is missed.
void Worker::wait_for_work(std::uint64_t seen) {
  Millis pause = settings_.poll;
  const std::optional<Millis> next = store_.next_run_at();
  if (next && !store_.paused()) {
    pause = std::clamp<Millis>(*next - store_.clock().now(), 1, settings_.poll);
  }
  // Workers that started together should not look together.
  if (settings_.workers > 1) pause += static_cast<Millis>(random_hex(1)[0]) % 16;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, milliseconds(pause), [&] { return stopping_ || wakes_ != seen; });
}

// Outlives the worker threads, so that a job keeps its lease to the end of the shutdown time.
void Worker::keep(const std::atomic<bool>& over) {
  std::optional<steady_clock::time_point> deadline;
  for (;;) {
    renew_and_reap();
    {
      std::unique_lock lock(mutex_);
      auto until = steady_clock::now() + milliseconds(leases_->period());
      if (deadline) until = std::min(until, std::max(*deadline, steady_clock::now() + kStopAgain));
      changed_.wait_until(lock, until, [&] { return over || (stopping_ && !deadline); });
      if (over) return;
      if (stopping_ && !deadline) {
        deadline = steady_clock::now() + milliseconds(settings_.shutdown);
      }
    }
    // Again and again: a job may have been claimed just before stop() and be held only now.
    if (deadline && steady_clock::now() >= *deadline) leases_->stop_all(StopReason::Shutdown);
  }
}

void Worker::renew_and_reap() {
  try {
    leases_->renew();
  } catch (const Error& error) {
    give_up(error.what());
    return;
  }
  try {
    reap();
  } catch (const Error& error) {
    log_.warn("store out of reach", {{"error", error.what()}});
  }
}

void Worker::reap() {
  for (const store::Job& job : store_.reap(settings_.backoff)) {
    log_.warn("job taken back from a silent worker", {{"job", std::to_string(job.id)},
                                                      {"state", name(job.state)},
                                                      {"attempts", std::to_string(job.attempts)}});
    wake();
  }
}

void Worker::give_up(const std::string& why) {
  log_.error("worker gives up", {{"error", why}});
  leases_->stop_all(StopReason::Lost);
  const std::lock_guard lock(mutex_);
  if (failure_.empty()) failure_ = why;
  stopping_ = true;
  changed_.notify_all();
}

void Worker::report(const Finished& finished) {
  const std::string id = std::to_string(finished.job.id);
  if (finished.error.empty()) {
    log_.info(label(finished.outcome), {{"job", id}});
  } else {
    log_.warn(label(finished.outcome), {{"job", id}, {"error", finished.error}});
  }
  const std::lock_guard lock(report_mutex_);
  count(summary_, finished.outcome);
  if (on_finished_) on_finished_(finished);
}

}  // namespace affiche::service
