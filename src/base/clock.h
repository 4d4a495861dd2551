// SPDX-License-Identifier: Apache-2.0
// Time as a value that tests can set. Wall-clock instants are integer milliseconds since the Unix
// epoch, as the store keeps them.
#pragma once

#include <cstdint>
#include <string>

namespace affiche {

using Millis = std::int64_t;

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Millis now() const = 0;
};

// The machine's clock. Thread-safe.
class SystemClock final : public Clock {
 public:
  Millis now() const override;
};

// A clock that moves only when told to. Not for use from several threads.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Millis start) : now_(start) {}
  Millis now() const override { return now_; }
  void advance(Millis by) { now_ += by; }

 private:
  Millis now_;
};

// "2026-11-21T14:20:53Z": ISO 8601 in UTC, whole seconds.
std::string iso8601(Millis instant);
// Reads what iso8601() writes, also with an offset such as +01:00. BadInput otherwise.
Millis parse_iso8601(const std::string& text);

}  // namespace affiche
