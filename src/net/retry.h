// SPDX-License-Identifier: Apache-2.0
// How often and after which pauses a transient failure is tried again.
#pragma once

#include <stop_token>
#include <string>

#include "net/http.h"

namespace affiche::net {

struct Pace {
  int attempts = 5;                // in a row without progress
  milliseconds first{1'000};       // pause after the first failure; doubled after each further one
  milliseconds most{30'000};       // longest pause of our own
  milliseconds patience{120'000};  // a longer Retry-After is given up at once
};

// One series of attempts.
class Retries {
 public:
  Retries(Pace pace, std::stop_token stop) : pace_(pace), stop_(std::move(stop)) {}
  // Waits before the next attempt, as long as the server asked or the pace says, give or take a
  // quarter so that many clients do not come back at once. Throws the failure again, with the
  // number of attempts and as Transient, when they are used up; Cancelled when told to stop
  // meanwhile.
  void wait_after(const Transient& failure);
  // The attempt got somewhere: the next failure is a first one again.
  void progressed() { failures_ = 0; }

 private:
  Pace pace_;
  std::stop_token stop_;
  int failures_ = 0;
};

// The body as text, with retries. `limits.bytes` bounds it. BadInput for an answer that is not 2xx
// is the caller's to make: `response` is filled in either way.
std::string get_text(Client& client, const Request& request, Pace pace, Response& response,
                     std::stop_token stop = {});

}  // namespace affiche::net
