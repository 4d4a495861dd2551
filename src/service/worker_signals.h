// SPDX-License-Identifier: Apache-2.0
// SIGTERM and SIGINT as calls. At most one object at a time.
#pragma once

#include <functional>
#include <thread>

namespace affiche::service {

// Make it before other threads are started: they inherit the blocked signals. The first signal
// calls `first` on a thread of this object; the second ends the process at once with 128 + its
// number, which is as safe as kill -9.
class StopSignals {
 public:
  explicit StopSignals(std::function<void()> first);
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

 private:
  std::jthread watcher_;
};

}  // namespace affiche::service
