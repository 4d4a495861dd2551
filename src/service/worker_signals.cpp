// SPDX-License-Identifier: Apache-2.0
#include "service/worker_signals.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

namespace affiche::service {
namespace {

sigset_t watched() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

void watch(const std::stop_token& over, const std::function<void()>& first) {
  const sigset_t set = watched();
  const timespec pause{0, 100'000'000};
  bool told = false;
  while (!over.stop_requested()) {
    const int signal = ::sigtimedwait(&set, nullptr, &pause);
    if (signal <= 0) continue;
    if (told) ::_exit(128 + signal);
    told = true;
    first();
  }
}

}  // namespace

StopSignals::StopSignals(std::function<void()> first) {
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  watcher_ =
      std::jthread([first = std::move(first)](const std::stop_token& over) { watch(over, first); });
}

StopSignals::~StopSignals() {
  watcher_.request_stop();
  watcher_.join();
  const sigset_t set = watched();
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
}

}  // namespace affiche::service
