// SPDX-License-Identifier: Apache-2.0
// affiche serve: the daemon.
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "cli/queue.h"
#include "service/card_maker.h"
#include "service/content_credentials.h"
#include "service/worker_housekeeping.h"
#include "service/worker_signals.h"

namespace affiche::cli {
namespace {

// Tidies at the start and once a day.
class Housekeeper {
 public:
  Housekeeper(Queue& queue, Log& log)
      : thread_([this, &queue, &log](const std::stop_token& over) { keep(queue, log, over); }) {}

 private:
  void keep(Queue& queue, Log& log, const std::stop_token& over) {
    std::unique_lock lock(mutex_);
    while (!over.stop_requested()) {
      try {
        const service::Tidied tidied =
            service::tidy(queue.store, queue.artifacts, queue.config.paths.output);
        log.info("tidied", {{"artifacts", std::to_string(tidied.artifacts)},
                            {"leftovers", std::to_string(tidied.leftovers)},
                            {"bytes", std::to_string(tidied.bytes)}});
      } catch (const std::exception& error) {
        log.warn("could not tidy", {{"error", error.what()}});
      }
      changed_.wait_for(lock, over, std::chrono::hours(24), [] { return false; });
    }
  }
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::jthread thread_;
};

int serve(const Shared& shared) {
  Log log(stderr, log_level(shared, Level::Info));
  service::Worker* current = nullptr;
  std::mutex mutex;
  const service::StopSignals signals([&] {
    const std::lock_guard lock(mutex);
    if (current == nullptr) ::_exit(0);
    log.info("stopping; a second signal ends at once");
    current->stop();
  });
  Queue queue(shared);
  share_cores(queue.config);
  const auto maker = service::make_card_maker(queue.config, queue.store, queue.artifacts);
  service::Worker worker(queue.store, queue.artifacts, *maker, worker_settings(queue.config), log);
  const Housekeeper housekeeper(queue, log);
  {
    const std::lock_guard lock(mutex);
    current = &worker;
  }
  log.info("content credentials",
           {{"status", service::ContentCredentials(queue.config.c2pa).status()}});
  log.info("serving", {{"database", queue.config.paths.database.string()},
                       {"workers", std::to_string(queue.config.work.workers)}});
  const service::Summary summary = worker.serve();
  {
    const std::lock_guard lock(mutex);
    current = nullptr;
  }
  log.info("stopped", {{"done", std::to_string(summary.done)},
                       {"dead", std::to_string(summary.dead)},
                       {"returned", std::to_string(summary.returned)}});
  return kDone;
}

}  // namespace

void add_serve(CLI::App& app, Shared& shared) {
  CLI::App* command = app.add_subcommand("serve", "the daemon: make cards until SIGTERM");
  command->footer(
      "SIGTERM or SIGINT: no new job; running ones may finish within work.shutdown_seconds, then "
      "they go back to the queue. A second signal ends at once.\n"
      "Example: affiche serve --config /etc/affiche/config.toml");
  command->callback([&shared] { shared.run = [&shared] { return serve(shared); }; });
}

}  // namespace affiche::cli
