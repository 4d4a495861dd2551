// SPDX-License-Identifier: Apache-2.0
// A job as the store keeps it, and the values that pass between the store and a worker. JSON stays
// text here, so that one malformed row fails its own job and no other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace affiche::store {

//   queued ──claim──> running ──complete──> done
//     ^                 │ │ └──permanent error, or attempts used up──> dead ──retry──> queued
//     └──give back──────┘ └──retryable error, lease ended──> retrying ──claim──> running
//   queued, retrying and running ──cancel──> cancelled
enum class State { Queued, Running, Retrying, Done, Dead, Cancelled };

// "queued", "running", …: as in the database and in JSON.
const char* name(State state) noexcept;
// BadInput, with the known names, for any other text.
State state_from(const std::string& text);

struct NewJob {
  std::string key;               // unique among jobs that are not dead or cancelled; empty: none
  std::string template_name;     // required
  std::string brand;             // may be empty: the template's or the configuration's default
  std::string variables = "{}";  // JSON object
  std::string photo = "null";    // JSON: null, a query text, or an object (see docs/operations.md)
  std::string out;               // file or folder; empty: the configuration's output folder
  std::string makes = "[]";      // JSON array of files; empty: one of the template's first size
  int priority = 0;              // higher first, -1000 … 1000
  std::optional<Millis> run_at;  // not before; empty: now
  int max_attempts = 5;          // 1 … 100
};

struct Enqueued {
  std::int64_t id = 0;
  bool duplicate = false;  // a job with this key is there already: `id` is that one
};

struct Job {
  std::int64_t id = 0;
  std::string key;
  std::string template_name;
  std::string brand;
  std::string variables;  // JSON object
  std::string photo;      // JSON
  std::string out;
  std::string makes;  // JSON array: the files that it asks for
  int priority = 0;
  Millis run_at = 0;
  State state = State::Queued;
  int attempts = 0;  // counted when claimed, so that a crash counts
  int max_attempts = 0;
  std::string worker;                // who holds it; empty unless running
  std::string error;                 // of the last attempt that failed
  std::string error_cause;           // affiche::name(Cause), or "lost" for a lease that ended
  std::vector<std::string> outputs;  // paths of the finished files
  Millis created = 0;
  Millis updated = 0;
};

// A worker's hold on one job. The token is random, so a claim that was lost cannot be mistaken for
// the one that followed it.
struct Claim {
  std::int64_t job_id = 0;
  std::string token;
};

struct Claimed {
  Claim claim;
  Job job;
};

// What a finished stage left behind.
struct StageRecord {
  std::string name;           // "photo", "background", "compose", "publish"
  std::string artifact;       // SHA-256 of its bytes in the artifact folder; may be empty
  std::string detail = "{}";  // JSON object
  Millis ms = 0;              // time that the stage took
};
using Stages = std::map<std::string, StageRecord>;

struct Attempt {
  int number = 0;
  std::string worker;
  Millis started = 0;
  std::optional<Millis> ended;
  std::string outcome;  // "" while running; done, retrying, dead, returned, lost, cancelled
  std::string error;
};

// The growing pause between attempts: base · attempts^4, at most cap. See service/backoff.h.
struct Backoff {
  Millis base = 1'000;
  Millis cap = 3'600'000;
};

enum class Held { Yes, CancelRequested, Lost };

struct JobFilter {
  std::vector<State> states;  // empty: all
  std::int64_t after_id = 0;  // for paging; ids grow
  int limit = 0;              // 0: all
};

struct Counts {
  std::int64_t queued = 0, running = 0, retrying = 0, done = 0, dead = 0, cancelled = 0;
};

}  // namespace affiche::store
