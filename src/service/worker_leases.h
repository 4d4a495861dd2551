// SPDX-License-Identifier: Apache-2.0
// The claims that a worker holds now. Thread-safe.
#pragma once

#include <atomic>
#include <chrono>
#include <list>
#include <memory>
#include <mutex>
#include <stop_token>

#include "base/clock.h"
#include "store/store.h"

namespace affiche::service {

enum class StopReason { None, Cancelled, Lost, Shutdown };

// One claim. Whoever stops it first gives the reason.
class HeldJob {
 public:
  HeldJob(store::Claim claim, std::chrono::steady_clock::time_point now)
      : claim_(std::move(claim)), renewed_(now) {}
  const store::Claim& claim() const { return claim_; }
  std::stop_token token() const { return stop_.get_token(); }
  StopReason reason() const { return reason_; }
  void stop(StopReason reason);

 private:
  friend class Leases;
  const store::Claim claim_;
  std::stop_source stop_;
  std::atomic<StopReason> reason_ = StopReason::None;
  std::chrono::steady_clock::time_point renewed_;  // guarded by Leases::mutex_
};

class Leases {
 public:
  Leases(store::Store& store, Millis lease) : store_(store), lease_(lease) {}
  std::shared_ptr<HeldJob> hold(const store::Claim& claim);
  void release(const std::shared_ptr<HeldJob>& job);
  bool empty() const;

  // Renews every lease; stops jobs whose claim was lost or whose cancellation was asked for. When
  // the store cannot be reached, stops those whose lease must be over by now, and throws
  // Unavailable once there is one.
  void renew();
  void stop_all(StopReason reason);
  // How often renew() is due: a third of the lease, and often enough that a cancellation is
  // noticed.
  Millis period() const;

 private:
  std::list<std::shared_ptr<HeldJob>> held() const;
  store::Store& store_;
  const Millis lease_;
  mutable std::mutex mutex_;
  std::list<std::shared_ptr<HeldJob>> held_;
};

}  // namespace affiche::service
