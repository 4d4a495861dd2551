// SPDX-License-Identifier: Apache-2.0
#include "photos/fetcher.h"

#include <thread>

#include "catch.h"
#include "net/server.h"
#include "store/temporary_folder.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::photos;
using affiche::test::contains;
using affiche::test::Question;
using affiche::test::Reply;
using affiche::test::Server;
using affiche::test::TemporaryFolder;
using affiche::test::thrown;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

struct World {
  Server server;
  TemporaryFolder folder;
  ManualClock clock{1'795'000'000'000};
  FetchSettings settings;
  std::vector<milliseconds> slept;
  World() {
    settings.folder = folder.path();
    settings.user_agent = user_agent("0.1.0", "https://site.example", "ops@site.example");
    const std::string url = server.url("");
    settings.named = {url.substr(7)};
    settings.sleep = [this](milliseconds time, const std::stop_token&) {
      clock.advance(time.count());
      slept.push_back(time);
    };
  }
  Ask ask(const std::string& path) const {
    Ask asked;
    asked.url = server.url(path);
    return asked;
  }
};

std::string text(const Got& got) {
  return {got.body.begin(), got.body.end()};
}

}  // namespace

TEST_CASE("an answer is asked for once, by any number of processes", "[fetcher]") {
  World world;
  world.server.get("/a", [](const Question&, Reply& answer) { answer.set_content("one", "text"); });
  Fetcher first(world.settings, world.clock);
  Fetcher second(world.settings, world.clock);
  CHECK(text(first.get(world.ask("/a"))) == "one");
  const Got again = second.get(world.ask("/a"));
  CHECK(text(again) == "one");
  CHECK(again.cached);
  CHECK(again.fetched_at == 1'795'000'000'000);
  CHECK(world.server.asked().size() == 1);
  CHECK(contains(world.server.asked()[0].agent,
                 "affiche/0.1.0 (+https://site.example; ops@site.example) bot libcurl/"));
}

TEST_CASE("without a contact nobody is asked", "[fetcher]") {
  CHECK(contains(thrown([] { user_agent("0.1.0", "https://site.example", ""); }),
                 "usage: site.contact"));
}

TEST_CASE("an old answer is revalidated, and costs no bytes when it is the same", "[fetcher]") {
  World world;
  std::string content = "one", tag = "\"1\"";
  int full = 0;
  world.server.get("/a", [&](const Question& question, Reply& answer) {
    answer.set_header("ETag", tag);
    if (question.get_header_value("If-None-Match") == tag) {
      answer.status = 304;
      return;
    }
    ++full;
    answer.set_content(content, "text");
  });
  Fetcher fetcher(world.settings, world.clock);
  fetcher.get(world.ask("/a"));
  world.clock.advance(25 * 3'600'000);
  const Got same = fetcher.get(world.ask("/a"));
  CHECK(same.cached);
  CHECK(same.fetched_at == 1'795'000'000'000);
  CHECK(full == 1);
  fetcher.get(world.ask("/a"));  // fresh for another day
  CHECK(world.server.asked().size() == 2);
  content = "two";
  tag = "\"2\"";
  world.clock.advance(25 * 3'600'000);
  const Got changed = fetcher.get(world.ask("/a"));
  CHECK(text(changed) == "two");
  CHECK_FALSE(changed.cached);
  CHECK(full == 2);
}

TEST_CASE("429 is waited out as the server asks, then the answer comes", "[fetcher]") {
  World world;
  int count = 0;
  world.server.get("/a", [&](const Question&, Reply& answer) {
    if (++count == 1) {
      answer.status = 429;
      answer.set_header("Retry-After", "17");
    } else {
      answer.set_content("one", "text");
    }
  });
  Fetcher fetcher(world.settings, world.clock);
  CHECK(text(fetcher.get(world.ask("/a"))) == "one");
  CHECK(world.slept == std::vector<milliseconds>{milliseconds(17'000)});
}

TEST_CASE("a server that asks for an hour is left alone by all that come after", "[fetcher]") {
  World world;
  world.server.get("/.*", [](const Question&, Reply& answer) {
    answer.status = 503;
    answer.set_header("Retry-After", "3600");
  });
  Fetcher fetcher(world.settings, world.clock);
  CHECK(contains(thrown([&] { fetcher.get(world.ask("/a")); }), "unavailable: "));
  CHECK(contains(thrown([&] { fetcher.get(world.ask("/b")); }), "unavailable: 127.0.0.1"));
  CHECK(world.server.asked().size() == 1);
  CHECK(world.slept.empty());
}

TEST_CASE("a dead link is remembered for an hour", "[fetcher]") {
  World world;
  Fetcher fetcher(world.settings, world.clock);
  CHECK(fetcher.get(world.ask("/gone")).status == 404);
  CHECK(fetcher.get(world.ask("/gone")).status == 404);
  CHECK(world.server.asked().size() == 1);
  world.clock.advance(3'700'000);
  CHECK(fetcher.get(world.ask("/gone")).status == 404);
  CHECK(world.server.asked().size() == 2);
}

TEST_CASE("what broke off is gone on with", "[fetcher]") {
  World world;
  const std::string content = test::noise(200'000);
  int count = 0;
  world.server.get("/a", [&](const Question& question, Reply& answer) {
    if (++count == 1) {
      test::break_after(question, answer, content, 150'000);
    } else {
      test::give_file(question, answer, content);
    }
  });
  world.settings.attempts = 1;
  Fetcher fetcher(world.settings, world.clock);
  CHECK(contains(thrown([&] { fetcher.get(world.ask("/a")); }), "unavailable: "));
  Fetcher later(world.settings, world.clock);
  CHECK(text(later.get(world.ask("/a"))) == content);
  const auto asked = world.server.asked();
  REQUIRE(asked.size() == 2);
  CHECK(asked[1].range.starts_with("bytes="));
  CHECK(asked[1].if_range == "\"v1\"");
}

TEST_CASE("offline answers from memory only, however old", "[fetcher]") {
  World world;
  world.server.get("/a", [](const Question&, Reply& answer) { answer.set_content("one", "text"); });
  Fetcher(world.settings, world.clock).get(world.ask("/a"));
  world.clock.advance(Millis{400} * 86'400'000);
  world.settings.offline = true;
  Fetcher offline(world.settings, world.clock);
  CHECK(text(offline.get(world.ask("/a"))) == "one");
  CHECK(contains(thrown([&] { offline.get(world.ask("/b")); }), "photos.offline is on"));
  CHECK(world.server.asked().size() == 1);
}

TEST_CASE("the memory keeps to its size and drops what was not used for longest", "[fetcher]") {
  World world;
  world.server.get("/(\\d)", [](const Question& question, Reply& answer) {
    answer.set_content(test::noise(100'000, static_cast<unsigned>(question.matches[1].str()[0])),
                       "text");
  });
  world.settings.cache_limit = 250'000;
  Fetcher fetcher(world.settings, world.clock);
  for (const char* path : {"/1", "/2", "/1", "/3"}) {
    fetcher.get(world.ask(path));
    std::this_thread::sleep_for(milliseconds(15));  // file times are of the kernel's tick
  }
  CHECK(fetcher.get(world.ask("/1")).cached);
  CHECK(fetcher.get(world.ask("/3")).cached);
  CHECK_FALSE(fetcher.get(world.ask("/2")).cached);
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(world.folder / "blobs")) {
    if (file.is_regular_file()) bytes += file.file_size();
  }
  CHECK(bytes <= 250'000);
}

TEST_CASE("a blob that was damaged on disk is fetched again", "[fetcher]") {
  World world;
  world.server.get("/a", [](const Question&, Reply& answer) { answer.set_content("one", "text"); });
  Fetcher fetcher(world.settings, world.clock);
  const Got got = fetcher.get(world.ask("/a"));
  write_atomically(world.folder.path() / "blobs" / got.sha256.substr(0, 2) / got.sha256,
                   std::string_view("two"));
  CHECK(text(fetcher.get(world.ask("/a"))) == "one");
  CHECK(world.server.asked().size() == 2);
}

TEST_CASE("secrets stay out of the memory's folder and of messages", "[fetcher]") {
  World world;
  world.server.get("/api", [](const Question& question, Reply& answer) {
    if (question.get_header_value("Authorization") != "Client-ID hunter2") answer.status = 401;
    answer.set_content("one", "text");
  });
  Fetcher fetcher(world.settings, world.clock);
  Ask ask = world.ask("/api?q=dune&key=hunter2");
  ask.public_url = world.server.url("/api?q=dune");
  ask.authorization = "Client-ID hunter2";
  CHECK(fetcher.get(ask).status == 200);
  for (const auto& file : std::filesystem::recursive_directory_iterator(world.folder.path())) {
    if (!file.is_regular_file()) continue;
    INFO(file.path());
    CHECK_FALSE(contains(read_text(file.path()), "hunter2"));
  }
  ask.url = world.server.url("/other?key=hunter2");
  ask.public_url = "";
  ask.most_bytes = 0;
  world.server.get("/other", [](const Question&, Reply& reply) { reply.set_content("x", "text"); });
  const std::string error = thrown([&] { fetcher.get(ask); });
  CHECK(contains(error, "refused: "));
  CHECK_FALSE(contains(error, "hunter2"));
}
