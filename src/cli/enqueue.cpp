// SPDX-License-Identifier: Apache-2.0
// affiche enqueue: jobs from options or a data file.
#include <chrono>
#include <memory>
#include <thread>

#include "base/error.h"
#include "cli/border.h"
#include "cli/queue.h"
#include "service/job_file.h"

namespace affiche::cli {
namespace {

struct Options {
  service::JobDefaults defaults;
  std::vector<std::string> set;
  std::string data;
  bool wait = false;
};

std::map<std::string, std::string> assignments(const std::vector<std::string>& words) {
  std::map<std::string, std::string> set;
  for (const std::string& word : words) {
    const std::size_t equals = word.find('=');
    if (equals == std::string::npos || equals == 0) {
      fail(Cause::Usage, "--set ", word, ": expected NAME=VALUE");
    }
    if (!set.emplace(word.substr(0, equals), word.substr(equals + 1)).second) {
      fail(Cause::Usage, "--set ", word, ": the variable is set twice");
    }
  }
  return set;
}

bool is_final(store::State state) {
  return state == store::State::Done || state == store::State::Dead ||
         state == store::State::Cancelled;
}

// Some worker, here or in another process, makes the cards; this only looks.
int wait_for(const store::Store& store, const std::vector<store::Enqueued>& entered) {
  std::size_t done = 0;
  for (const store::Enqueued& one : entered) {
    std::optional<store::Job> job = store.job(one.id);
    while (job && !is_final(job->state)) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      job = store.job(one.id);
    }
    if (job && job->state == store::State::Done) {
      ++done;
    } else if (job) {
      std::fprintf(stderr, "job %lld %s: %s\n", static_cast<long long>(one.id), name(job->state),
                   job->error.c_str());
    }
  }
  return done == entered.size() ? kDone : done > 0 ? kPartly : kFailed;
}

void report(const Shared& shared, const std::vector<store::Enqueued>& entered) {
  Json ids = Json::array();
  std::size_t duplicates = 0;
  for (const store::Enqueued& one : entered) {
    ids.push_back(one.id);
    duplicates += one.duplicate ? 1 : 0;
    if (one.duplicate && shared.verbosity >= 0) {
      std::fprintf(stderr, "job %lld has this key already; nothing was entered for it\n",
                   static_cast<long long>(one.id));
    }
  }
  if (shared.json) {
    print_json(ids, -1);
  } else if (shared.verbosity >= 0) {
    const std::size_t fresh = entered.size() - duplicates;
    std::printf("%zu %s entered", fresh, fresh == 1 ? "job" : "jobs");
    if (duplicates > 0) std::printf(", %zu there already", duplicates);
    std::printf("; `affiche run` makes the cards\n");
  }
}

int enqueue(const Shared& shared, Options options) {
  options.defaults.set = assignments(options.set);
  Queue queue(shared);
  if (!options.data.empty() && !options.defaults.key.empty()) {
    fail(Cause::Usage, "--key: expected without --data; each line of the data has its own key");
  }
  const std::vector<store::NewJob> jobs =
      options.data.empty() ? std::vector{service::single_job(options.defaults, queue.config)}
                           : service::read_jobs(options.data, options.defaults, queue.config);
  const std::vector<store::Enqueued> entered = queue.store.enqueue(jobs);
  report(shared, entered);
  return options.wait ? wait_for(queue.store, entered) : kDone;
}

}  // namespace

void add_enqueue(CLI::App& app, Shared& shared) {
  const auto options = std::make_shared<Options>();
  service::JobDefaults& defaults = options->defaults;
  CLI::App* command =
      app.add_subcommand("enqueue", "enter jobs: one from options, or a file of them");
  command->add_option("--template", defaults.template_name, "name or file of a template");
  command->add_option("--brand", defaults.brand, "name or file of a brand");
  command->add_option("--set", options->set, "a variable of the template; may be repeated")
      ->type_name("NAME=VALUE");
  command->add_option("--photo", defaults.photo,
                      "words to search the library for, or a photo's id");
  command->add_option("--out", defaults.out, "file or folder of the card");
  command->add_option("--outputs", defaults.outputs,
                      "files to make, such as card.jpg,square.webp:200000,hero.jpg");
  command->add_option("--key", defaults.key, "enter nothing when a job has this key already");
  command->add_option("--at", defaults.at, "not before, as 2026-11-21T14:20:53Z");
  command->add_option("--priority", defaults.priority, "higher first, 0 without it")
      ->check(CLI::Range(-1000, 1000));
  command
      ->add_option(
          "--data", options->data,
          "jobs as .json, .jsonl or .csv, or - for JSON lines on standard input; the other "
          "options hold where a line is silent")
      ->type_name("FILE")
      ->check(existing_input(true));
  command->add_flag("--wait", options->wait,
                    "until a worker has finished them; exit 3: some failed");
  command->footer(
      "A line of data: {\"template\": …, \"brand\": …, \"set\": {…}, \"photo\": …, \"out\": …, "
      "\"key\": …, \"at\": …, \"priority\": …}\n"
      "Example: affiche enqueue --template article --set headline=\"Rates fall\" --photo river");
  command->callback([&shared, options] {
    shared.run = [&shared, options] { return enqueue(shared, *options); };
  });
}

}  // namespace affiche::cli
