// SPDX-License-Identifier: Apache-2.0
#include "photos/turns.h"

#include <thread>
#include <vector>

#include "base/files.h"
#include "catch.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::photos;
using affiche::test::contains;
using affiche::test::TemporaryFolder;
using affiche::test::thrown;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

// Time passes only when somebody sleeps.
struct World {
  explicit World(milliseconds patience = std::chrono::hours(48))
      : turns(folder.path(), clock, patience,
              [this](milliseconds time, const std::stop_token&) { clock.advance(time.count()); }) {}
  TemporaryFolder folder;
  ManualClock clock{1'795'000'000'000};
  Turns turns;
  // When each of `count` requests started, in milliseconds from now on.
  std::vector<Millis> starts(int count, const Manners& manners) {
    std::vector<Millis> found;
    const Millis begin = clock.now();
    for (int i = 0; i < count; ++i) {
      turns.take("host", manners);
      found.push_back(clock.now() - begin);
    }
    return found;
  }
};

}  // namespace

TEST_CASE("a rate is never exceeded in any window, however the requests come", "[turns]") {
  World world;
  const Manners manners{{{20, seconds(60)}, {50, seconds(600)}}, milliseconds(0), 1};
  const std::vector<Millis> starts = world.starts(130, manners);
  const auto most_in = [&](Millis window) {
    int most = 0;
    for (const Millis start : starts) {
      int inside = 0;
      for (const Millis other : starts) inside += other >= start && other < start + window ? 1 : 0;
      most = std::max(most, inside);
    }
    return most;
  };
  CHECK(most_in(60'000) == 20);
  CHECK(most_in(600'000) == 50);
  // Nor is it asked much more slowly than it may: two full windows and what is left.
  CHECK(starts.back() <= 2 * 610'000 + 62'000);
}

TEST_CASE("requests keep their distance", "[turns]") {
  World world;
  const auto starts = world.starts(4, {{}, milliseconds(1'500), 1});
  CHECK(starts == std::vector<Millis>{0, 1'500, 3'000, 4'500});
}

TEST_CASE("a rate outlives the program", "[turns]") {
  World world;
  const Manners manners{{{3, seconds(86'400)}}, milliseconds(0), 1};
  world.starts(3, manners);
  const Turns later(world.folder.path(), world.clock, milliseconds(1'000));
  const std::string error = thrown([&] { later.take("host", manners); });
  INFO(error);
  CHECK(contains(error, "unavailable: host: its rate is used up"));
  CHECK(contains(error, "2026-11-"));
  later.take("another", manners);  // other hosts have their own
}

TEST_CASE("nobody asks before the time that the server named", "[turns]") {
  World world;
  world.turns.take("host", {});
  world.turns.report("host", Outcome::Failed, seconds(90));
  const Millis begin = world.clock.now();
  world.turns.take("host", {});
  CHECK(world.clock.now() - begin == 90'000);
}

TEST_CASE("a host that keeps failing is left alone, then tried once, ever less often", "[turns]") {
  World world(milliseconds(1'000));
  const auto failed = [&] {
    world.turns.take("host", {});
    world.turns.report("host", Outcome::Failed);
    world.clock.advance(1'000);
  };
  for (int i = 0; i < 5; ++i) failed();
  CHECK(contains(thrown([&] { failed(); }), "unavailable: host"));
  world.clock.advance(60'000);
  failed();  // the trial
  CHECK(contains(thrown([&] { failed(); }), "unavailable: host"));
  world.clock.advance(60'000);
  CHECK(contains(thrown([&] { failed(); }), "unavailable: host"));  // twice the pause by now
  world.clock.advance(60'000);
  {
    const Turns::Turn trial = world.turns.take("host", {});
    // Only one tries.
    CHECK(contains(thrown([&] { world.turns.take("host", {}); }), "unavailable: host"));
    world.turns.report("host", Outcome::Good);
  }
  world.turns.take("host", {});
  world.turns.take("host", {});
}

TEST_CASE("only so many ask at once, and the next one waits for a place", "[turns]") {
  TemporaryFolder folder;
  const SystemClock clock;
  const Turns turns(folder.path(), clock, seconds(30));
  const Manners manners{{}, milliseconds(0), 2};
  std::atomic<int> inside = 0, most = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 6; ++i) {
      threads.emplace_back([&] {
        const Turns::Turn turn = turns.take("host", manners);
        most = std::max(most.load(), ++inside);
        std::this_thread::sleep_for(milliseconds(20));
        --inside;
      });
    }
  }
  CHECK(most <= 2);
  CHECK(inside == 0);
}

TEST_CASE("a damaged account counts from none on", "[turns]") {
  World world;
  const Manners manners{{{1, seconds(60)}}, milliseconds(0), 1};
  world.turns.take("host", manners);
  write_atomically(world.folder.path() / "host.json", std::string_view("{\"last\":"));
  world.turns.take("host", manners);
}

TEST_CASE("waiting for a turn ends when told to stop", "[turns]") {
  TemporaryFolder folder;
  const SystemClock clock;
  const Turns turns(folder.path(), clock, std::chrono::hours(1));
  turns.take("host", {});
  turns.report("host", Outcome::Failed, std::chrono::minutes(10));
  std::stop_source stop;
  const std::jthread killer([&] {
    std::this_thread::sleep_for(milliseconds(30));
    stop.request_stop();
  });
  CHECK(contains(thrown([&] { turns.take("host", {}, stop.get_token()); }), "cancelled: host"));
}
