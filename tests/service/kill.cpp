// SPDX-License-Identifier: Apache-2.0
// A real worker process is killed with SIGKILL in the middle of a batch, again and again.
#include <chrono>
#include <map>
#include <random>
#include <thread>

#include "base/files.h"
#include "catch.h"
#include "service/file_runner.h"
#include "service/process.h"
#include "service/worker_housekeeping.h"
#include "store/store.h"
#include "store/temporary_folder.h"

using namespace affiche;
using affiche::test::Process;
using affiche::test::TemporaryFolder;

namespace {

constexpr int kJobs = 60;
constexpr int kKills = 30;

struct Batch {
  TemporaryFolder folder;
  SystemClock clock;
  store::Store store{folder / "jobs.db", clock};
  store::Artifacts artifacts{folder / "artifacts"};
  std::filesystem::path out = folder / "out";

  std::vector<std::int64_t> enqueue(int count) {
    std::vector<store::NewJob> jobs(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      jobs[i].template_name = "article";
      jobs[i].variables = R"({"headline":")" + std::to_string(i) + R"("})";
      jobs[i].out = (out / ("card-" + std::to_string(i) + ".bin")).string();
      jobs[i].max_attempts = 100;
    }
    std::vector<std::int64_t> ids;
    for (const store::Enqueued& one : store.enqueue(jobs)) ids.push_back(one.id);
    return ids;
  }
  std::vector<std::string> worker(const std::string& mode, const std::string& pause) {
    return {AFFICHE_BATCH_WORKER, (folder / "jobs.db").string(), (folder / "artifacts").string(),
            mode, pause};
  }
};

void require_whole_and_once(Batch& batch) {
  std::map<std::int64_t, int> rows;
  for (const store::CreditEntry& entry : batch.store.credits()) ++rows[entry.job_id.value_or(0)];
  for (const store::Job& job : batch.store.jobs()) {
    INFO("job " << job.id << ": " << job.error);
    REQUIRE(job.state == store::State::Done);
    REQUIRE(job.outputs == std::vector<std::string>{job.out});
    REQUIRE(read_text(job.out) == test::expected_card(job.variables));
    REQUIRE(rows[job.id] == 1);
    int completions = 0;
    for (const store::Attempt& attempt : batch.store.attempts(job.id)) {
      REQUIRE(attempt.ended);
      completions += attempt.outcome == "done" ? 1 : 0;
    }
    REQUIRE(completions == 1);
    REQUIRE(batch.store.stages(job.id).size() == 4);
  }
  REQUIRE(rows.size() == static_cast<std::size_t>(kJobs));
}

void require_nothing_orphaned(Batch& batch) {
  service::tidy(batch.store, batch.artifacts, batch.out, -1'000);
  const auto referenced = batch.store.referenced_artifacts();
  std::size_t files = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(batch.artifacts.folder())) {
    const std::string name = file.path().filename().string();
    if (!file.is_regular_file() || name == ".lock") continue;
    INFO(file.path());
    REQUIRE(referenced.contains(name));
    ++files;
  }
  REQUIRE(files == referenced.size());
  for (const std::string& name : referenced) batch.artifacts.get(name);
  std::size_t cards = 0;
  for (const auto& file : std::filesystem::directory_iterator(batch.out)) {
    INFO(file.path());
    REQUIRE_FALSE(file.path().filename().string().starts_with(kTemporaryPrefix));
    ++cards;
  }
  REQUIRE(cards == static_cast<std::size_t>(kJobs));
}

}  // namespace

TEST_CASE("a worker killed thirty times makes each card once and leaves nothing behind") {
  Batch batch;
  batch.enqueue(kJobs);
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::uniform_int_distribution<int> moment_us(0, 120'000);
  int killed_at_work = 0;
  for (int kill = 0; kill < kKills; ++kill) {
    Process worker(batch.worker("serve", "3"));
    REQUIRE(worker.wait_for_line());
    std::this_thread::sleep_for(std::chrono::microseconds(moment_us(random)));
    worker.send(SIGKILL);
    const int status = worker.wait();
    REQUIRE(WIFSIGNALED(status));
    killed_at_work += batch.store.any_running() ? 1 : 0;
  }
  REQUIRE(killed_at_work > 0);
  Process last(batch.worker("drain", "0"));
  REQUIRE(last.wait() == 0);

  const store::Counts counts = batch.store.counts();
  REQUIRE(counts.done == kJobs);
  REQUIRE(counts.running == 0);
  require_whole_and_once(batch);
  require_nothing_orphaned(batch);
  REQUIRE(batch.store.integrity_check() == "ok");
}

TEST_CASE("a worker that is told to stop gives its jobs back uncounted") {
  Batch batch;
  const auto ids = batch.enqueue(6);
  Process worker(batch.worker("serve", "300"));
  REQUIRE(worker.wait_for_line());
  while (!batch.store.any_running()) std::this_thread::yield();
  worker.send(SIGTERM);
  const int status = worker.wait();
  REQUIRE(WIFEXITED(status));
  REQUIRE(WEXITSTATUS(status) == 0);
  REQUIRE(batch.store.counts().queued == 6);
  int returned = 0;
  for (const std::int64_t id : ids) {
    REQUIRE(batch.store.job(id)->attempts == 0);
    for (const auto& attempt : batch.store.attempts(id)) {
      REQUIRE(attempt.outcome == "returned");
      ++returned;
    }
  }
  REQUIRE(returned >= 1);
}

TEST_CASE("a second signal ends the worker at once and the lease brings its jobs back") {
  Batch batch;
  const auto ids = batch.enqueue(1);
  {
    Process worker(batch.worker("serve", "60000"));
    REQUIRE(worker.wait_for_line());
    while (!batch.store.any_running()) std::this_thread::yield();
    worker.send(SIGTERM);
    // Two pending signals of one kind are one, so the other kind makes sure of the second.
    worker.send(SIGINT);
    const int status = worker.wait();
    REQUIRE(WIFEXITED(status));
    REQUIRE(WEXITSTATUS(status) > 128);
  }
  Process next(batch.worker("drain", "0"));
  REQUIRE(next.wait() == 0);
  REQUIRE(batch.store.job(ids[0])->state == store::State::Done);
  REQUIRE(batch.store.job(ids[0])->attempts == 2);
}
