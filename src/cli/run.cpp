// SPDX-License-Identifier: Apache-2.0
// affiche run: work in the foreground until the queue is empty.
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <mutex>

#include "cli/queue.h"
#include "service/card_maker.h"
#include "service/content_credentials.h"
#include "service/worker_signals.h"

namespace affiche::cli {
namespace {

const char* state_of(service::Outcome outcome) {
  switch (outcome) {
    case service::Outcome::Done:
      return "done";
    case service::Outcome::Retrying:
      return "retrying";
    case service::Outcome::Dead:
      return "dead";
    case service::Outcome::Cancelled:
      return "cancelled";
    case service::Outcome::Returned:
      return "queued";
    case service::Outcome::Lost:
      return "lost";
  }
  return "lost";
}

std::uintmax_t size_of(const std::string& file) {
  std::error_code error;
  const std::uintmax_t size = std::filesystem::file_size(file, error);
  return error ? 0 : size;
}

double seconds(Millis ms) {
  return static_cast<double>(ms) / 1000.0;
}

Json to_object(const service::Finished& finished) {
  Json outputs = Json::array();
  for (const std::string& file : finished.outputs) {
    outputs.push_back({{"path", file}, {"bytes", size_of(file)}});
  }
  Json stages = Json::object();
  Json kept = Json::array();
  for (const service::StageTime& stage : finished.stages) {
    stages[stage.name] = seconds(stage.ms);
    if (stage.resumed) kept.push_back(stage.name);
  }
  return {{"id", finished.job.id}, {"state", state_of(finished.outcome)},
          {"outputs", outputs},    {"seconds", stages},
          {"kept", kept},          {"error", finished.error}};
}

// "out/a.jpg 84120 bytes  photo 0.01 s  background 8.20 s  compose 0.41 s  publish 0.02 s"
void print_line(const service::Finished& finished) {
  if (finished.outcome != service::Outcome::Done) {
    std::fprintf(stderr, "job %lld %s: %s\n", static_cast<long long>(finished.job.id),
                 state_of(finished.outcome), finished.error.c_str());
    return;
  }
  const char* comma = "";
  for (const std::string& file : finished.outputs) {
    std::printf("%s%s %ju bytes", comma, file.c_str(), size_of(file));
    comma = ", ";
  }
  for (const service::StageTime& stage : finished.stages) {
    if (stage.resumed) {
      std::printf("  %s kept", stage.name.c_str());
    } else {
      std::printf("  %s %.2f s", stage.name.c_str(), seconds(stage.ms));
    }
  }
  std::puts("");
  std::fflush(stdout);
}

int verdict(const Shared& shared, const service::Summary& summary) {
  if (summary.paused)
    std::fprintf(stderr, "the queue is paused; `affiche jobs resume` ends that\n");
  if (!shared.json && shared.verbosity >= 0) {
    std::printf("%d %s made, %d %s dead\n", summary.done, summary.done == 1 ? "card" : "cards",
                summary.dead, summary.dead == 1 ? "job" : "jobs");
  }
  if (summary.dead > 0) return summary.done > 0 ? kPartly : kFailed;
  const bool retries_left = summary.retrying > 0 && summary.left_waiting;
  return summary.paused || summary.returned > 0 || retries_left ? kTryLater : kDone;
}

int run(const Shared& shared, bool drain) {
  service::Worker* current = nullptr;
  std::mutex mutex;
  const service::StopSignals signals([&] {
    const std::lock_guard lock(mutex);
    if (current == nullptr) ::_exit(130);
    current->stop();
  });
  Queue queue(shared);
  share_cores(queue.config);
  const auto maker = service::make_card_maker(queue.config, queue.store, queue.artifacts);
  Log log(stderr, log_level(shared, Level::Error));
  log.info("content credentials",
           {{"status", service::ContentCredentials(queue.config.c2pa).status()}});
  service::WorkerSettings settings = worker_settings(queue.config);
  if (!drain) settings.drain_horizon = 0;
  service::Worker worker(queue.store, queue.artifacts, *maker, settings, log,
                         [&](const service::Finished& finished) {
                           if (shared.json) {
                             print_json(to_object(finished), -1);
                           } else {
                             print_line(finished);
                           }
                         });
  {
    const std::lock_guard lock(mutex);
    current = &worker;
  }
  const service::Summary summary = worker.drain();
  {
    const std::lock_guard lock(mutex);
    current = nullptr;
  }
  return verdict(shared, summary);
}

}  // namespace

void add_run(CLI::App& app, Shared& shared) {
  const auto drain = std::make_shared<bool>(false);
  CLI::App* command =
      app.add_subcommand("run", "make the cards of all jobs that are due, then end");
  command->add_flag("--drain", *drain, "also wait for retries and jobs due within two minutes");
  command->footer(
      "Prints a line a card: files, sizes, seconds of each stage; --json: an object a line.\n"
      "Exit codes: 0 all done, 1 all failed, 3 some jobs are dead, 75 some wait for another try.\n"
      "Example: affiche run --drain");
  command->callback(
      [&shared, drain] { shared.run = [&shared, drain] { return run(shared, *drain); }; });
}

}  // namespace affiche::cli
