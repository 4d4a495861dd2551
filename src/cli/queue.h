// SPDX-License-Identifier: Apache-2.0
// What the commands around the queue share.
#pragma once

#include <algorithm>
#include <cstdio>
#include <thread>

#include "base/clock.h"
#include "base/json.h"
#include "base/log.h"
#include "cards/encode.h"
#include "cli/command.h"
#include "service/config.h"
#include "service/worker.h"
#include "store/artifacts.h"
#include "store/store.h"

namespace affiche::cli {

inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kPartly = 3;
inline constexpr int kTryLater = 75;

// The store that config.toml names.
struct Queue {
  explicit Queue(const Shared& shared)
      : config(service::load_config(shared.config_file)),
        store(config.paths.database, clock),
        artifacts(config.paths.artifacts) {}
  service::Config config;
  SystemClock clock;
  store::Store store;
  store::Artifacts artifacts;
};

// libvips' own threads, so that workers times threads are the cores.
inline void share_cores(const service::Config& config) {
  const int cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  cards::set_threads(std::max(1, cores / std::max(1, config.work.workers)));
}

inline service::WorkerSettings worker_settings(const service::Config& config) {
  service::WorkerSettings settings;
  settings.workers = config.work.workers;
  settings.lease = Millis{1'000} * config.work.lease_seconds;
  settings.poll = config.work.poll_ms;
  settings.shutdown = Millis{1'000} * config.work.shutdown_seconds;
  return settings;
}

inline Level log_level(const Shared& shared, Level usual) {
  const int level = static_cast<int>(usual) - shared.verbosity;
  return level <= 0 ? Level::Debug : level >= 3 ? Level::Error : static_cast<Level>(level);
}

// Bytes from outside that are not UTF-8 are replaced.
inline void print_json(const Json& json, int indent = 2) {
  std::puts(json.dump(indent, ' ', false, Json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

}  // namespace affiche::cli
