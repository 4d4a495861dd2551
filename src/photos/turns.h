// SPDX-License-Identifier: Apache-2.0
// Whose turn it is to ask a host: its rates, how many may ask at once, what it said with
// Retry-After, and a breaker for a host that keeps failing. The account lies in one small file a
// host, under flock, so that several processes and a restart keep to the same rates (a limit a day
// outlives both).
//
//   closed --kTripped failures in a row--> open --pause over--> one trial --good--> closed
//                                            ^---------------------- bad, twice the pause --'
//
// Rates are counted in a sliding window of kSlices slices; a slice that is partly over counts
// whole, so a rate is never exceeded.
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/file_lock.h"

namespace affiche::photos {

struct Rate {
  int requests = 0;
  std::chrono::seconds period{0};
};

struct Manners {
  std::vector<Rate> rates;           // all of them hold
  std::chrono::milliseconds gap{0};  // between the starts of two requests
  int at_once = 2;                   // requests under way, of all processes
};

// How a request ended, for the breaker.
enum class Outcome { Good, Failed };

class Turns {
 public:
  using Sleep = std::function<void(std::chrono::milliseconds, const std::stop_token&)>;
  // `clock` must outlive it. `patience`: a longer wait is given up at once. `sleep` stands in for
  // waiting in tests.
  Turns(std::filesystem::path folder, const Clock& clock, std::chrono::milliseconds patience,
        Sleep sleep = {});

  // A place among those that ask the host, as long as it lives.
  class Turn {
   private:
    friend class Turns;
    explicit Turn(FileLock lock) : lock_(std::move(lock)) {}
    FileLock lock_;
  };

  // Waits until it is allowed to ask, and counts the request. `key` names what has the rates: a
  // host, or a provider. Unavailable when that would take longer than the patience, naming the time
  // from which on it may be asked; Cancelled once `stop` is requested. Thread-safe.
  Turn take(const std::string& key, const Manners& manners, std::stop_token stop = {}) const;
  // After the request. `retry_after`: what the server asked for; nobody asks before that.
  void report(const std::string& key, Outcome outcome,
              std::chrono::milliseconds retry_after = std::chrono::milliseconds(0)) const;

 private:
  std::filesystem::path file(const std::string& key, const char* ending) const;
  std::filesystem::path folder_;
  const Clock& clock_;
  std::chrono::milliseconds patience_;
  Sleep sleep_;
};

}  // namespace affiche::photos
