// SPDX-License-Identifier: Apache-2.0
#include "service/worker.h"

#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "base/error.h"
#include "catch.h"
#include "service/backoff.h"
#include "service/file_runner.h"
#include "service/worker_job.h"
#include "service/worker_leases.h"
#include "store/store.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::service;
using affiche::store::State;
using affiche::test::FileRunner;
using affiche::test::TemporaryFolder;

namespace {

struct Bench {
  TemporaryFolder folder;
  SystemClock clock;
  store::Store store{folder / "jobs.db", clock};
  store::Artifacts artifacts{folder / "artifacts"};
  FileRunner runner{artifacts, std::chrono::milliseconds(0)};
  Log log{stderr, Level::Error};
  WorkerSettings settings;
  std::vector<Finished> finished;

  Bench() {
    settings.lease = 2'000;
    settings.poll = 10;
    settings.backoff = {1, 5};
  }
  std::int64_t add(int max_attempts = 3, Millis run_at = 0) {
    store::NewJob job;
    job.template_name = "article";
    job.variables = R"({"headline":"A"})";
    job.out = (folder / "card.bin").string();
    job.max_attempts = max_attempts;
    if (run_at != 0) job.run_at = run_at;
    return store.enqueue(std::array{job}).front().id;
  }
  Summary drain() {
    Worker worker(store, artifacts, runner, settings, log,
                  [this](const Finished& one) { finished.push_back(one); });
    return worker.drain();
  }
  void fail_before(const std::string& stage, Cause cause, int times) {
    runner.before = [=, left = times](const store::Job&, const std::string& now,
                                      const std::stop_token&) mutable {
      if (now == stage && left > 0) {
        --left;
        fail(cause, "made to fail");
      }
    };
  }
};

}  // namespace

TEST_CASE_METHOD(Bench, "draining finishes every job that is due and leaves later ones") {
  const auto first = add();
  const auto second = add();
  const auto tomorrow = add(3, clock.now() + 86'400'000);
  const Summary summary = drain();
  REQUIRE(summary.done == 2);
  REQUIRE(summary.left_waiting);
  REQUIRE(store.job(first)->state == State::Done);
  REQUIRE(store.job(second)->state == State::Done);
  REQUIRE(store.job(tomorrow)->state == State::Queued);
  REQUIRE(finished.size() == 2);
  REQUIRE(finished[0].stages.size() == 4);
  REQUIRE(finished[0].outputs == std::vector<std::string>{(folder / "card.bin").string()});
}

TEST_CASE_METHOD(Bench, "draining waits for retries that are due soon") {
  const auto id = add();
  fail_before("compose", Cause::Unavailable, 2);
  const Summary summary = drain();
  REQUIRE(summary.retrying == 2);
  REQUIRE(summary.done == 1);
  REQUIRE(store.job(id)->attempts == 3);
  REQUIRE(store.job(id)->error.empty());
}

TEST_CASE_METHOD(Bench, "a permanent error kills the job at once") {
  for (const Cause cause : {Cause::BadInput, Cause::Refused, Cause::NotFound, Cause::Usage}) {
    const auto id = add();
    fail_before("photo", cause, 1);
    REQUIRE(drain().dead == 1);
    REQUIRE(store.job(id)->state == State::Dead);
    REQUIRE(store.job(id)->attempts == 1);
    REQUIRE(store.job(id)->error == "made to fail");
    REQUIRE(store.job(id)->error_cause == name(cause));
  }
}

TEST_CASE_METHOD(Bench, "an error that may pass is tried until the attempts are used up") {
  const auto id = add(3);
  fail_before("background", Cause::Internal, 99);
  const Summary summary = drain();
  REQUIRE(summary.retrying == 2);
  REQUIRE(summary.dead == 1);
  REQUIRE(store.job(id)->attempts == 3);
}

TEST_CASE_METHOD(Bench, "a foreign exception fails its own job and no other") {
  const auto bad = add(1);
  const auto good = add();
  runner.before = [=](const store::Job& job, const std::string&, const std::stop_token&) {
    if (job.id == bad) throw std::runtime_error("from a library");
  };
  const Summary summary = drain();
  REQUIRE(summary.dead == 1);
  REQUIRE(summary.done == 1);
  REQUIRE(store.job(bad)->error == "from a library");
  REQUIRE(store.job(good)->state == State::Done);
}

TEST_CASE_METHOD(Bench, "the next attempt continues after the last finished stage") {
  add();
  std::map<std::string, int> runs;
  runner.before = [&, failed = false](const store::Job&, const std::string& stage,
                                      const std::stop_token&) mutable {
    ++runs[stage];
    if (stage == "compose" && !failed) {
      failed = true;
      fail(Cause::Unavailable, "once");
    }
  };
  drain();
  REQUIRE(runs == std::map<std::string, int>{
                      {"photo", 1}, {"background", 1}, {"compose", 2}, {"publish", 1}});
  REQUIRE(finished.back().stages[0].resumed);
  REQUIRE_FALSE(finished.back().stages[2].resumed);
}

TEST_CASE_METHOD(Bench, "a stage whose artifact is gone is run again, and those after it") {
  const auto id = add();
  std::map<std::string, int> runs;
  runner.before = [&, failed = false](const store::Job&, const std::string& stage,
                                      const std::stop_token&) mutable {
    ++runs[stage];
    if (stage == "publish" && !failed) {
      failed = true;
      std::filesystem::remove(artifacts.path(store.stages(id).at("background").artifact));
      fail(Cause::Unavailable, "once");
    }
  };
  drain();
  REQUIRE(runs == std::map<std::string, int>{
                      {"photo", 1}, {"background", 2}, {"compose", 2}, {"publish", 2}});
  REQUIRE(store.job(id)->state == State::Done);
}

TEST_CASE_METHOD(Bench, "a claim that is lost during a stage discards the result") {
  const auto id = add();
  const auto claimed = store.claim("slow", 1);
  REQUIRE(claimed);
  Leases leases(store, 1);
  const auto held = leases.hold(claimed->claim);
  runner.before = [&](const store::Job&, const std::string& stage, const std::stop_token&) {
    if (stage != "compose") return;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    REQUIRE(store.reap({0, 0}).size() == 1);
  };
  const Finished result = run_job(store, artifacts, runner, {}, claimed->job, *held);
  REQUIRE(result.outcome == Outcome::Lost);
  REQUIRE(store.job(id)->state == State::Retrying);
  REQUIRE(store.stages(id).size() == 2);
  leases.renew();
  REQUIRE(held->reason() == StopReason::Lost);
  REQUIRE(held->token().stop_requested());
}

TEST_CASE_METHOD(Bench, "a running job that is cancelled stops and is not tried again") {
  const auto id = add();
  runner.before = [&](const store::Job&, const std::string& stage, const std::stop_token& stop) {
    if (stage != "background") return;
    store.cancel(id);
    while (!stop.stop_requested()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    fail(Cause::Cancelled, "stopped");
  };
  settings.lease = 300;
  REQUIRE(drain().cancelled == 1);
  REQUIRE(store.job(id)->state == State::Cancelled);
}

TEST_CASE_METHOD(Bench, "a long stage keeps its lease") {
  const auto id = add();
  settings.lease = 400;
  runner.before = [](const store::Job&, const std::string& stage, const std::stop_token&) {
    if (stage == "background") std::this_thread::sleep_for(std::chrono::milliseconds(1'300));
  };
  REQUIRE(drain().done == 1);
  REQUIRE(store.job(id)->attempts == 1);
}

TEST_CASE_METHOD(Bench, "serving takes what arrives later and stops when told") {
  settings.poll = 60'000;
  std::atomic<int> done = 0;
  Worker worker(store, artifacts, runner, settings, log, [&](const Finished&) { ++done; });
  std::thread thread([&] { worker.serve(); });
  const auto id = add();
  while (done == 0) {
    worker.wake();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  worker.stop();
  worker.stop();
  thread.join();
  REQUIRE(store.job(id)->state == State::Done);
}

TEST_CASE_METHOD(Bench, "stopping before the start claims nothing") {
  const auto id = add();
  Worker worker(store, artifacts, runner, settings, log);
  worker.stop();
  worker.serve();
  REQUIRE(store.job(id)->state == State::Queued);
}

TEST_CASE_METHOD(Bench, "draining a paused queue ends at once and says so") {
  add();
  store.pause();
  const Summary summary = drain();
  REQUIRE(summary.paused);
  REQUIRE(summary.done == 0);
}

TEST_CASE_METHOD(Bench, "several worker threads share a batch without doing a job twice") {
  settings.workers = 4;
  for (int i = 0; i < 40; ++i) add();
  REQUIRE(drain().done == 40);
  REQUIRE(store.credits().size() == 40);
}

TEST_CASE("the pause between attempts grows, is capped and is jittered by a tenth") {
  const store::Backoff backoff{1'000, 100'000};
  REQUIRE(retry_delay(backoff, 1, 0.5) == 1'000);
  REQUIRE(retry_delay(backoff, 2, 0.5) == 16'000);
  REQUIRE(retry_delay(backoff, 3, 0.5) == 81'000);
  REQUIRE(retry_delay(backoff, 9, 0.5) == 100'000);
  REQUIRE(retry_delay(backoff, 1, 0.0) == 900);
  REQUIRE(retry_delay(backoff, 1, 1.0) == 1'100);
  for (int i = 0; i < 100; ++i) {
    const double unit = random_unit();
    REQUIRE(unit >= 0.0);
    REQUIRE(unit < 1.0);
  }
}

TEST_CASE("only errors that the same input would meet again are permanent") {
  REQUIRE(is_permanent(Cause::BadInput));
  REQUIRE(is_permanent(Cause::NotFound));
  REQUIRE(is_permanent(Cause::Refused));
  REQUIRE(is_permanent(Cause::Usage));
  REQUIRE_FALSE(is_permanent(Cause::Unavailable));
  REQUIRE_FALSE(is_permanent(Cause::Internal));
  REQUIRE_FALSE(is_permanent(Cause::Conflict));
}
