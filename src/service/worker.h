// SPDX-License-Identifier: Apache-2.0
// Takes jobs from the store, runs their stages and settles each claim exactly once.
//
// Threads: `workers` of them claim and run, one keeper renews leases and reaps. A job is worked on
// at least once: if this process dies, the lease ends and another attempt continues after the last
// finished stage; the attempt counts. A claim that was lost stops its job and the result is
// discarded. A worker that cannot reach the database until its lease is over, or cannot settle a
// claim, stops as a whole and says so, rather than live on as a zombie.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "service/stages.h"
#include "store/artifacts.h"
#include "store/store.h"

namespace affiche::service {

class Leases;

struct WorkerSettings {
  int workers = 1;
  Millis lease = 120'000;
  Millis poll = 500;               // between looks at an empty queue
  Millis shutdown = 30'000;        // from stop() until running jobs are told to give up
  Millis drain_horizon = 120'000;  // drain() waits for jobs that are due within this
  store::Backoff backoff;
};

enum class Outcome { Done, Retrying, Dead, Cancelled, Returned, Lost };

struct StageTime {
  std::string name;
  Millis ms = 0;
  bool resumed = false;  // finished by an earlier attempt
};

struct Finished {
  store::Job job;  // as claimed
  Outcome outcome = Outcome::Done;
  std::vector<StageTime> stages;
  std::vector<std::string> outputs;
  std::string error;
};

struct Summary {
  int done = 0, retrying = 0, dead = 0, cancelled = 0, returned = 0, lost = 0;
  bool paused = false;        // drain() ended because the queue is paused
  bool left_waiting = false;  // jobs wait that are due after the horizon
};

class Worker {
 public:
  // All arguments must outlive the worker. `on_finished` is called by one thread at a time.
  Worker(store::Store& store, const store::Artifacts& artifacts, StageRunner& runner,
         WorkerSettings settings, Log& log, std::function<void(const Finished&)> on_finished = {});
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Works until stop(). Throws Unavailable when the database stayed out of reach.
  Summary serve();
  // Works until nobody runs a job and none is due within the horizon, until the queue is paused, or
  // until stop(). Jobs that other processes hold are waited for: they may come back.
  Summary drain();

  // From any thread, any number of times. No job is claimed afterwards; running ones may finish
  // until the shutdown time is over, then they are stopped and given back, uncounted.
  void stop();
  // Look at the queue now: somebody in this process enqueued.
  void wake();

 private:
  enum class Mode { Serve, Drain };
  Summary work(Mode mode);
  void claim_and_run(Mode mode, const std::string& name);
  bool drained();
  void wait_for_work(std::uint64_t seen);
  void keep(const std::atomic<bool>& over);
  void renew_and_reap();
  void reap();
  void give_up(const std::string& why);
  void report(const Finished& finished);

  store::Store& store_;
  const store::Artifacts& artifacts_;
  StageRunner& runner_;
  const WorkerSettings settings_;
  Log& log_;
  const std::function<void(const Finished&)> on_finished_;
  std::unique_ptr<Leases> leases_;

  std::mutex mutex_;  // guards the members below
  std::condition_variable changed_;
  bool stopping_ = false;
  std::uint64_t wakes_ = 0;
  std::string failure_;  // why the worker gave up; empty: it did not

  std::mutex report_mutex_;  // guards summary_ and calls of on_finished_
  Summary summary_;
};

}  // namespace affiche::service
