// SPDX-License-Identifier: Apache-2.0
// affiche jobs: look at the queue and manage it.
#include <algorithm>
#include <array>
#include <memory>

#include "base/error.h"
#include "cli/queue.h"
#include "service/worker_housekeeping.h"

namespace affiche::cli {
namespace {

using store::State;

Json to_object(const store::Job& job) {
  return {{"id", job.id},
          {"state", name(job.state)},
          {"template", job.template_name},
          {"brand", job.brand},
          {"key", job.key.empty() ? Json() : Json(job.key)},
          {"attempts", job.attempts},
          {"max_attempts", job.max_attempts},
          {"priority", job.priority},
          {"error", job.error},
          {"error_cause", job.error_cause},
          {"outputs", job.outputs},
          {"set", parse_json(job.variables, "set")},
          {"photo", parse_json(job.photo, "photo")},
          {"out", job.out},
          {"run_at", iso8601(job.run_at)},
          {"created", iso8601(job.created)},
          {"updated", iso8601(job.updated)}};
}

void print_line(const store::Job& job) {
  std::string last = job.error;
  for (const std::string& file : job.outputs) last += (last.empty() ? "" : ", ") + file;
  std::replace_if(
      last.begin(), last.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, ' ');
  std::printf("%6lld  %-9s  %d/%d  %-16s  %s  %s\n", static_cast<long long>(job.id),
              name(job.state), job.attempts, job.max_attempts, job.template_name.c_str(),
              iso8601(job.updated).c_str(), last.c_str());
}

struct ListOptions {
  std::vector<std::string> states;
  std::int64_t after = 0;
  int limit = 0;
};

int list(const Shared& shared, const ListOptions& options) {
  store::JobFilter filter;
  for (const std::string& state : options.states) filter.states.push_back(store::state_from(state));
  filter.after_id = options.after;
  filter.limit = options.limit;
  const Queue queue(shared);
  Json jobs = Json::array();
  for (const store::Job& job : queue.store.jobs(filter)) {
    if (shared.json) {
      jobs.push_back(to_object(job));
    } else {
      print_line(job);
    }
  }
  if (shared.json) print_json(jobs);
  return kDone;
}

Json stages_of(const store::Store& store, std::int64_t id) {
  Json stages = Json::array();
  for (const auto& [stage, record] : store.stages(id)) {
    stages.push_back({{"name", stage},
                      {"artifact", record.artifact.empty() ? Json() : Json(record.artifact)},
                      {"detail", parse_json(record.detail, "detail")},
                      {"ms", record.ms}});
  }
  return stages;
}

Json attempts_of(const store::Store& store, std::int64_t id) {
  Json attempts = Json::array();
  for (const store::Attempt& attempt : store.attempts(id)) {
    attempts.push_back({{"number", attempt.number},
                        {"worker", attempt.worker},
                        {"started", iso8601(attempt.started)},
                        {"ended", attempt.ended ? Json(iso8601(*attempt.ended)) : Json()},
                        {"outcome", attempt.outcome.empty() ? "running" : attempt.outcome},
                        {"error", attempt.error}});
  }
  return attempts;
}

// The same with and without --json: everything that is known.
int show(const Shared& shared, std::int64_t id) {
  const Queue queue(shared);
  const std::optional<store::Job> job = queue.store.job(id);
  if (!job) fail(Cause::NotFound, "job ", id, ": there is no such job");
  Json object = to_object(*job);
  object["worker"] = job->worker.empty() ? Json() : Json(job->worker);
  object["stages"] = stages_of(queue.store, id);
  object["history"] = attempts_of(queue.store, id);
  print_json(object);
  return kDone;
}

// Each on its own: one job in the wrong state does not keep the others.
template <typename Function>
int each(const std::vector<std::int64_t>& ids, Function&& function) {
  std::size_t failed = 0;
  for (const std::int64_t id : ids) {
    try {
      function(id);
    } catch (const Error& error) {
      ++failed;
      std::fprintf(stderr, "affiche: %s\n", error.what());
    }
  }
  return failed == 0 ? kDone : failed == ids.size() ? kFailed : kPartly;
}

int retry(const Shared& shared, std::vector<std::int64_t> ids, bool all_dead) {
  Queue queue(shared);
  if (all_dead) {
    store::JobFilter filter;
    filter.states = {State::Dead};
    for (const store::Job& job : queue.store.jobs(filter)) ids.push_back(job.id);
  } else if (ids.empty()) {
    fail(Cause::Usage, "jobs retry: expected ids, or --dead for all dead jobs");
  }
  return each(ids, [&](std::int64_t id) { queue.store.retry(id); });
}

int cancel(const Shared& shared, const std::vector<std::int64_t>& ids) {
  Queue queue(shared);
  return each(ids, [&](std::int64_t id) {
    if (queue.store.cancel(id) == State::Running && shared.verbosity >= 0) {
      std::fprintf(stderr, "job %lld is running and was asked to stop\n",
                   static_cast<long long>(id));
    }
  });
}

int prune(const Shared& shared, double days, const std::vector<std::string>& names) {
  std::vector<State> states;
  for (const std::string& state : names) states.push_back(store::state_from(state));
  Queue queue(shared);
  const Millis before = queue.clock.now() - static_cast<Millis>(days * 86'400'000.0);
  const std::int64_t removed = queue.store.prune(states, before);
  const service::Tidied tidied =
      service::tidy(queue.store, queue.artifacts, queue.config.paths.output);
  if (shared.json) {
    print_json({{"jobs", removed},
                {"artifacts", tidied.artifacts},
                {"leftovers", tidied.leftovers},
                {"bytes", tidied.bytes}});
  } else if (shared.verbosity >= 0) {
    std::printf("%lld jobs, %d artifacts and %d leftovers removed\n",
                static_cast<long long>(removed), tidied.artifacts, tidied.leftovers);
  }
  return kDone;
}

int set_paused(const Shared& shared, bool paused) {
  Queue queue(shared);
  if (paused) {
    queue.store.pause();
  } else {
    queue.store.resume();
  }
  return kDone;
}

void add_list(CLI::App& jobs, Shared& shared) {
  const auto options = std::make_shared<ListOptions>();
  CLI::App* command = jobs.add_subcommand("list", "every job, oldest first");
  command->add_option("--state", options->states, "only in these states")
      ->check(CLI::IsMember({"queued", "running", "retrying", "done", "dead", "cancelled"}));
  command->add_option("--after", options->after, "only ids above this one");
  command->add_option("--limit", options->limit, "at most so many; 0: all")
      ->check(CLI::NonNegativeNumber);
  command->footer("Example: affiche jobs list --state dead --json");
  command->callback(
      [&shared, options] { shared.run = [&shared, options] { return list(shared, *options); }; });
}

void add_managing(CLI::App& jobs, Shared& shared) {
  const auto ids = std::make_shared<std::vector<std::int64_t>>();
  const auto all_dead = std::make_shared<bool>(false);
  CLI::App* again = jobs.add_subcommand("retry", "dead or cancelled jobs back to the queue");
  again->add_option("id", *ids, "jobs");
  again->add_flag("--dead", *all_dead, "all dead jobs");
  again->footer("Finished stages are kept.\nExample: affiche jobs retry 12 13");
  again->callback([&shared, ids, all_dead] {
    shared.run = [&shared, ids, all_dead] { return retry(shared, *ids, *all_dead); };
  });

  CLI::App* stop = jobs.add_subcommand("cancel", "waiting jobs at once, running ones soon");
  stop->add_option("id", *ids, "jobs")->required();
  stop->footer("Example: affiche jobs cancel 12");
  stop->callback([&shared, ids] { shared.run = [&shared, ids] { return cancel(shared, *ids); }; });

  CLI::App* pausing = jobs.add_subcommand("pause", "workers take no job until resume");
  pausing->footer("Example: affiche jobs pause");
  pausing->callback([&shared] { shared.run = [&shared] { return set_paused(shared, true); }; });
  CLI::App* resuming = jobs.add_subcommand("resume", "workers take jobs again");
  resuming->footer("Example: affiche jobs resume");
  resuming->callback([&shared] { shared.run = [&shared] { return set_paused(shared, false); }; });
}

void add_prune(CLI::App& jobs, Shared& shared) {
  const auto days = std::make_shared<double>(30.0);
  const auto states = std::make_shared<std::vector<std::string>>(
      std::vector<std::string>{"done", "dead", "cancelled"});
  CLI::App* command =
      jobs.add_subcommand("prune", "forget old finished jobs and sweep what nothing needs");
  command->add_option("--older", *days, "last changed so many days ago; 30 without it")
      ->type_name("DAYS")
      ->check(CLI::NonNegativeNumber);
  command->add_option("--state", *states, "done, dead, cancelled; all three without it")
      ->check(CLI::IsMember({"done", "dead", "cancelled"}));
  command->footer("Cards and the ledger stay.\nExample: affiche jobs prune --older 7 --state done");
  command->callback([&shared, days, states] {
    shared.run = [&shared, days, states] { return prune(shared, *days, *states); };
  });
}

}  // namespace

void add_jobs(CLI::App& app, Shared& shared) {
  CLI::App* jobs = app.add_subcommand("jobs", "look at the queue and manage it");
  jobs->require_subcommand(1);
  jobs->footer("Example: affiche jobs list --state dead");
  add_list(*jobs, shared);
  const auto id = std::make_shared<std::int64_t>(0);
  CLI::App* showing = jobs->add_subcommand("show", "all about one job, as JSON");
  showing->add_option("id", *id, "job")->required();
  showing->footer("Example: affiche jobs show 12");
  showing->callback([&shared, id] { shared.run = [&shared, id] { return show(shared, *id); }; });
  add_managing(*jobs, shared);
  add_prune(*jobs, shared);
}

}  // namespace affiche::cli
