// SPDX-License-Identifier: Apache-2.0
// The one error type. It is thrown where something goes wrong and caught at one border per thread
// (the command line, a worker), which turns the cause into an exit code or a retry decision.
#pragma once

#include <sstream>
#include <stdexcept>
#include <string>

namespace affiche {

enum class Cause {
  Usage,        // the caller's options contradict each other or name something unknown
  BadInput,     // a file, template, picture or request is malformed
  NotFound,     // a named thing does not exist
  Refused,      // a rule forbids it (licence policy, limits)
  Conflict,     // the state changed meanwhile (lost lease, duplicate key)
  Unavailable,  // may work later: network, lock, disk full, memory
  Cancelled,    // somebody asked to stop
  Internal,     // a broken promise inside affiche
};

// Message form: object, what was expected, what was found, the remedy.
class Error : public std::runtime_error {
 public:
  Error(Cause cause, const std::string& message) : std::runtime_error(message), cause_(cause) {}
  Cause cause() const noexcept { return cause_; }
  // Worth another attempt with the same input.
  bool retryable() const noexcept { return cause_ == Cause::Unavailable; }

 private:
  Cause cause_;
};

// The exit code of the command line for a cause: 2 usage or bad input file, 75 try later, else 1.
int exit_code(Cause cause) noexcept;
// Lower-case name as stored in the database and printed in JSON: "bad_input".
const char* name(Cause cause) noexcept;

// Joins its arguments as operator<< prints them.
template <typename... Args>
std::string concat(const Args&... args) {
  std::ostringstream out;
  (out << ... << args);
  return out.str();
}

template <typename... Args>
[[noreturn]] void fail(Cause cause, const Args&... args) {
  throw Error(cause, concat(args...));
}

}  // namespace affiche
