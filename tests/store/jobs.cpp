// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "base/error.h"
#include "catch.h"
#include "store/database.h"
#include "store/store.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::store;
using affiche::test::TemporaryFolder;

namespace {

constexpr Millis kLease = 1'000;

NewJob new_job(const std::string& key = "") {
  NewJob job;
  job.key = key;
  job.template_name = "article";
  job.variables = R"({"headline":"Rates fall"})";
  job.max_attempts = 3;
  return job;
}

struct Fixture {
  TemporaryFolder folder;
  ManualClock clock{1'000'000};
  Store store{folder / "jobs.db", clock};

  std::int64_t add(const NewJob& job = new_job()) {
    return store.enqueue(std::array{job}).front().id;
  }
  Claimed claim() {
    auto claimed = store.claim("test", kLease);
    REQUIRE(claimed);
    return *claimed;
  }
  State state(std::int64_t id) { return store.job(id)->state; }
};

const StageRecord kPublish{"publish", "", "{}", 5};

CreditEntry entry() {
  CreditEntry credit;
  credit.card_path = "/out/a.png";
  credit.card_sha256 = std::string(64, 'a');
  credit.photo_id = std::string(64, 'b');
  credit.credit = {"Sea", "Ann", "", "Commons", "https://x", "CC-BY-4.0", "https://l", {"cropped"}};
  credit.line = "Photo: Ann";
  return credit;
}

}  // namespace

TEST_CASE_METHOD(Fixture, "a job goes from queued over running to done with its ledger row") {
  const std::int64_t id = add();
  const Claimed claimed = claim();
  REQUIRE(claimed.job.id == id);
  REQUIRE(claimed.job.variables == R"({"headline":"Rates fall"})");
  REQUIRE(claimed.job.attempts == 1);
  REQUIRE(state(id) == State::Running);
  REQUIRE(store.record_stage(claimed.claim, {"photo", std::string(64, 'b'), R"({"a":1})", 7}));
  REQUIRE(store.complete(claimed.claim, kPublish, {"/out/a.png"}, std::array{entry()}));
  REQUIRE(state(id) == State::Done);
  REQUIRE(store.job(id)->outputs == std::vector<std::string>{"/out/a.png"});
  REQUIRE(store.stages(id).size() == 2);
  REQUIRE(store.stages(id).at("photo").detail == R"({"a":1})");
  const auto ledger = store.credits();
  REQUIRE(ledger.size() == 1);
  REQUIRE(ledger[0].job_id == id);
  REQUIRE(ledger[0].credit == entry().credit);
  REQUIRE(ledger[0].at == 1'000'000);
  REQUIRE(store.attempts(id).front().outcome == "done");
}

TEST_CASE_METHOD(Fixture, "an incomplete credit leaves the job unfinished and the ledger empty") {
  const std::int64_t id = add();
  const Claimed claimed = claim();
  CreditEntry half = entry();
  half.credit.author.clear();
  REQUIRE_THROWS_AS(store.complete(claimed.claim, kPublish, {"/out/a.png"}, std::array{half}),
                    Error);
  REQUIRE(state(id) == State::Running);
  REQUIRE(store.credits().empty());
  REQUIRE(store.stages(id).empty());
}

TEST_CASE_METHOD(Fixture,
                 "jobs are taken by priority, then time, then id, and not before their time") {
  NewJob low = new_job("low");
  NewJob high = new_job("high");
  NewJob later = new_job("later");
  high.priority = 5;
  later.priority = 9;
  later.run_at = clock.now() + 100;
  add(low);
  add(high);
  add(later);
  REQUIRE(claim().job.key == "high");
  REQUIRE(store.next_run_at() == clock.now());
  REQUIRE(claim().job.key == "low");
  REQUIRE_FALSE(store.claim("test", kLease));
  clock.advance(100);
  REQUIRE(claim().job.key == "later");
}

TEST_CASE_METHOD(Fixture, "a lost lease discards the result") {
  const std::int64_t id = add();
  const Claimed first = claim();
  clock.advance(kLease + 1);
  REQUIRE(store.reap({}).size() == 1);
  clock.advance(10'000);
  const Claimed second = claim();
  REQUIRE(second.job.attempts == 2);
  REQUIRE(store.heartbeat(first.claim, kLease) == Held::Lost);
  REQUIRE_FALSE(store.record_stage(first.claim, kPublish));
  REQUIRE_FALSE(store.complete(first.claim, kPublish, {"/late"}, std::array{entry()}));
  REQUIRE_FALSE(store.fail(first.claim, "internal", "late", std::nullopt));
  REQUIRE_FALSE(store.give_back(first.claim));
  REQUIRE_FALSE(store.finish_cancelled(first.claim));
  REQUIRE(state(id) == State::Running);
  REQUIRE(store.stages(id).empty());
  REQUIRE(store.credits().empty());
  REQUIRE(store.complete(second.claim, kPublish, {"/good"}, {}));
}

TEST_CASE_METHOD(Fixture, "a heartbeat keeps the job from the reaper") {
  add();
  const Claimed claimed = claim();
  clock.advance(kLease - 1);
  REQUIRE(store.heartbeat(claimed.claim, kLease) == Held::Yes);
  clock.advance(kLease - 1);
  REQUIRE(store.reap({}).empty());
}

TEST_CASE_METHOD(Fixture, "crashes count as attempts and end dead") {
  const std::int64_t id = add();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    REQUIRE(claim().job.attempts == attempt);
    clock.advance(kLease + 1);
    REQUIRE(store.reap({0, 0}).size() == 1);
    REQUIRE(state(id) == (attempt < 3 ? State::Retrying : State::Dead));
  }
  REQUIRE(store.job(id)->error_cause == "lost");
  REQUIRE(store.attempts(id).size() == 3);
  REQUIRE_FALSE(store.claim("test", kLease));
}

TEST_CASE_METHOD(Fixture, "a crashed job comes back after a pause that grows") {
  const std::int64_t id = add();
  claim();
  clock.advance(kLease + 1);
  store.reap({1'000, 100'000});
  REQUIRE(store.job(id)->run_at == clock.now() + 1'000);
  clock.advance(1'000);
  claim();
  clock.advance(kLease + 1);
  store.reap({1'000, 15'000});
  REQUIRE(store.job(id)->run_at == clock.now() + 15'000);
}

TEST_CASE_METHOD(Fixture, "a failure with a time is tried again until the attempts are used up") {
  const std::int64_t id = add();
  for (int attempt = 1; attempt <= 3; ++attempt) {
    const Claimed claimed = claim();
    const auto after = store.fail(claimed.claim, "unavailable", "no network", clock.now());
    REQUIRE(after == (attempt < 3 ? State::Retrying : State::Dead));
  }
  REQUIRE(store.job(id)->error == "no network");
  REQUIRE(store.job(id)->attempts == 3);
}

TEST_CASE_METHOD(Fixture,
                 "a failure without a time is dead at once, and retry gives fresh attempts") {
  const std::int64_t id = add();
  REQUIRE(store.fail(claim().claim, "bad_input", "no such template", std::nullopt) == State::Dead);
  store.retry(id);
  REQUIRE(state(id) == State::Queued);
  REQUIRE(store.job(id)->attempts == 0);
  REQUIRE_THROWS_AS(store.retry(id), Error);
  REQUIRE_THROWS_AS(store.retry(99), Error);
}

TEST_CASE_METHOD(Fixture, "a job given back is not counted") {
  const std::int64_t id = add();
  REQUIRE(store.give_back(claim().claim));
  REQUIRE(state(id) == State::Queued);
  REQUIRE(store.job(id)->attempts == 0);
  REQUIRE(store.attempts(id).front().outcome == "returned");
  REQUIRE(claim().job.attempts == 1);
}

TEST_CASE_METHOD(Fixture, "a key is taken once among live and done jobs") {
  const auto first = store.enqueue(std::array{new_job("a"), new_job("b"), new_job("a")});
  REQUIRE_FALSE(first[0].duplicate);
  REQUIRE_FALSE(first[1].duplicate);
  REQUIRE(first[2].duplicate);
  REQUIRE(first[2].id == first[0].id);
  const Claimed claimed = claim();
  store.complete(claimed.claim, kPublish, {}, {});
  REQUIRE(store.enqueue(std::array{new_job("a")}).front().duplicate);
  REQUIRE(store.cancel(first[1].id) == State::Cancelled);
  const auto again = store.enqueue(std::array{new_job("b")}).front();
  REQUIRE_FALSE(again.duplicate);
  REQUIRE_THROWS_AS(store.retry(first[1].id), Error);
}

TEST_CASE_METHOD(Fixture, "malformed jobs are refused and nothing is entered") {
  NewJob bad = new_job();
  bad.variables = "[1]";
  REQUIRE_THROWS_AS(store.enqueue(std::array{new_job(), bad}), Error);
  bad = new_job();
  bad.photo = "{";
  REQUIRE_THROWS_AS(store.enqueue(std::array{new_job(), bad}), Error);
  bad = new_job();
  bad.template_name = "";
  REQUIRE_THROWS_AS(store.enqueue(std::array{new_job(), bad}), Error);
  bad = new_job();
  bad.priority = 1001;
  REQUIRE_THROWS_AS(store.enqueue(std::array{new_job(), bad}), Error);
  REQUIRE(store.jobs().empty());
}

TEST_CASE_METHOD(Fixture, "cancel is at once for a waiting job and asked of a running one") {
  const std::int64_t id = add();
  const Claimed claimed = claim();
  REQUIRE(store.cancel(id) == State::Running);
  REQUIRE(store.heartbeat(claimed.claim, kLease) == Held::CancelRequested);
  REQUIRE(store.finish_cancelled(claimed.claim));
  REQUIRE(state(id) == State::Cancelled);
  REQUIRE_THROWS_AS(store.cancel(id), Error);

  const std::int64_t crashing = add();
  claim();
  store.cancel(crashing);
  clock.advance(kLease + 1);
  store.reap({});
  REQUIRE(state(crashing) == State::Cancelled);
}

TEST_CASE_METHOD(Fixture, "a paused queue hands out nothing until it is resumed") {
  add();
  store.pause();
  REQUIRE(store.paused());
  REQUIRE_FALSE(store.claim("test", kLease));
  store.resume();
  claim();
}

TEST_CASE_METHOD(Fixture, "prune removes old finished jobs and keeps the ledger") {
  const std::int64_t old = add();
  const Claimed claimed = claim();
  store.complete(claimed.claim, kPublish, {"/out/a.png"}, std::array{entry()});
  clock.advance(1'000);
  const std::int64_t waiting = add();
  REQUIRE(store.prune(std::array{State::Done}, clock.now()) == 1);
  REQUIRE_FALSE(store.job(old));
  REQUIRE(store.job(waiting));
  REQUIRE(store.stages(old).empty());
  REQUIRE(store.credits().size() == 1);
  REQUIRE_THROWS_AS(store.prune(std::array{State::Running}, clock.now()), Error);
}

TEST_CASE("claims by many threads through several connections never take a job twice") {
  const TemporaryFolder folder;
  const SystemClock clock;
  constexpr int kJobs = 120;
  {
    Store store(folder / "jobs.db", clock);
    const std::vector<NewJob> jobs(kJobs, new_job());
    store.enqueue(jobs);
  }
  std::mutex mutex;
  std::map<std::int64_t, int> taken;
  std::atomic<bool> trouble = false;
  std::vector<std::thread> threads;
  for (int i = 0; i < 6; ++i) {
    threads.emplace_back([&] {
      try {
        Store store(folder / "jobs.db", clock);
        while (const auto claimed = store.claim("t", 60'000)) {
          {
            const std::lock_guard lock(mutex);
            ++taken[claimed->job.id];
          }
          if (!store.complete(claimed->claim, kPublish, {}, {})) trouble = true;
        }
      } catch (const Error&) {
        trouble = true;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  REQUIRE_FALSE(trouble);
  REQUIRE(taken.size() == kJobs);
  for (const auto& [id, times] : taken) REQUIRE(times == 1);
  const Store store(folder / "jobs.db", clock);
  REQUIRE(store.counts().done == kJobs);
  REQUIRE(store.integrity_check() == "ok");
}

TEST_CASE("the claim reads the index of ready jobs") {
  const TemporaryFolder folder;
  const SystemClock clock;
  const Store store(folder / "jobs.db", clock);
  Database database(folder / "jobs.db");
  const std::string plan = database.read([](Connection& connection) {
    std::string text;
    Query rows(connection,
               "EXPLAIN QUERY PLAN SELECT id FROM jobs WHERE state IN ('queued', 'retrying') "
               "AND run_at <= 5 ORDER BY priority DESC, run_at, id LIMIT 1");
    while (rows.next()) text += rows.text(3) + "\n";
    return text;
  });
  REQUIRE(plan.find("jobs_ready") != std::string::npos);
  REQUIRE(plan.find("TEMP B-TREE") == std::string::npos);
}

TEST_CASE("what was committed is there for the next process, with full durability") {
  const TemporaryFolder folder;
  const SystemClock clock;
  {
    Store store(folder / "jobs.db", clock);
    store.enqueue(std::array{new_job()});
  }
  Database database(folder / "jobs.db");
  database.read([](Connection& connection) {
    Query mode(connection, "PRAGMA journal_mode");
    REQUIRE(mode.next());
    REQUIRE(mode.text(0) == "wal");
    Query synchronous(connection, "PRAGMA synchronous");
    REQUIRE(synchronous.next());
    REQUIRE(synchronous.integer(0) == 2);
    Query keys(connection, "PRAGMA foreign_keys");
    REQUIRE(keys.next());
    REQUIRE(keys.integer(0) == 1);
    Query jobs(connection, "SELECT count(*) FROM jobs");
    REQUIRE(jobs.next());
    REQUIRE(jobs.integer(0) == 1);
  });
}
