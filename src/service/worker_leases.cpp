// SPDX-License-Identifier: Apache-2.0
#include "service/worker_leases.h"

#include <algorithm>

#include "base/error.h"

namespace affiche::service {

namespace {

constexpr Millis kCancelNoticedMs = 5'000;

}  // namespace

void HeldJob::stop(StopReason reason) {
  StopReason none = StopReason::None;
  reason_.compare_exchange_strong(none, reason);
  stop_.request_stop();
}

std::shared_ptr<HeldJob> Leases::hold(const store::Claim& claim) {
  auto job = std::make_shared<HeldJob>(claim, std::chrono::steady_clock::now());
  const std::lock_guard lock(mutex_);
  held_.push_back(job);
  return job;
}

void Leases::release(const std::shared_ptr<HeldJob>& job) {
  const std::lock_guard lock(mutex_);
  held_.remove(job);
}

bool Leases::empty() const {
  const std::lock_guard lock(mutex_);
  return held_.empty();
}

std::list<std::shared_ptr<HeldJob>> Leases::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

void Leases::renew() {
  bool overdue = false;
  std::string trouble;
  for (const std::shared_ptr<HeldJob>& job : held()) {
    const auto before = std::chrono::steady_clock::now();
    try {
      const store::Held held = store_.heartbeat(job->claim(), lease_);
      if (held == store::Held::Lost) job->stop(StopReason::Lost);
      if (held == store::Held::CancelRequested) job->stop(StopReason::Cancelled);
      const std::lock_guard lock(mutex_);
      job->renewed_ = before;
    } catch (const Error& error) {
      trouble = error.what();
      const std::lock_guard lock(mutex_);
      if (before - job->renewed_ < std::chrono::milliseconds(lease_)) continue;
      job->stop(StopReason::Lost);
      overdue = true;
    }
  }
  if (overdue) fail(Cause::Unavailable, "leases could not be renewed in time: ", trouble);
}

void Leases::stop_all(StopReason reason) {
  for (const std::shared_ptr<HeldJob>& job : held()) job->stop(reason);
}

Millis Leases::period() const {
  return std::clamp<Millis>(lease_ / 3, 10, kCancelNoticedMs);
}

}  // namespace affiche::service
