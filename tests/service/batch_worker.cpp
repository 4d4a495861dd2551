// SPDX-License-Identifier: Apache-2.0
// batch_worker DATABASE ARTIFACTS MODE PAUSE_MS: a worker process to be killed by the tests. MODE
// is serve or drain. Prints "ready" once it takes jobs.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "base/log.h"
#include "service/file_runner.h"
#include "service/worker.h"
#include "service/worker_signals.h"

int main(int argc, char** argv) {
  using namespace affiche;
  if (argc != 5) return 2;
  try {
    std::atomic<service::Worker*> current = nullptr;
    const service::StopSignals signals([&] {
      if (service::Worker* worker = current) worker->stop();
    });
    const SystemClock clock;
    store::Store store(argv[1], clock);
    const store::Artifacts artifacts(argv[2]);
    test::FileRunner runner(artifacts, std::chrono::milliseconds(std::atoi(argv[4])));
    runner.before = [](const store::Job&, const std::string&, const std::stop_token& stop) {
      if (stop.stop_requested()) fail(Cause::Cancelled, "stopped");
    };
    Log log(stderr, Level::Error);
    service::WorkerSettings settings;
    settings.workers = 2;
    settings.lease = 600;
    settings.poll = 20;
    settings.shutdown = 0;
    settings.backoff = {1, 10};
    service::Worker worker(store, artifacts, runner, settings, log);
    current = &worker;
    std::puts("ready");
    std::fflush(stdout);
    if (std::string(argv[3]) == "drain") {
      worker.drain();
    } else {
      worker.serve();
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "batch_worker: %s\n", error.what());
    return 1;
  }
}
