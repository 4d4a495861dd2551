// SPDX-License-Identifier: Apache-2.0
#include "service/picture_room.h"

#include <sys/resource.h>
#include <cstdio>
#include <memory>

#include "cards/encode.h"
#include "catch.h"
#include "photos/bombs.h"
#include "photos/picture_check.h"
#include "service/house.h"
#include "throws.h"

using namespace affiche;
using namespace affiche::service;
using affiche::test::contains;
using affiche::test::deflate_bomb;
using affiche::test::house_jpeg;
using affiche::test::thrown;

namespace {

RoomSettings room() {
  RoomSettings settings;
  settings.program = AFFICHE_PICTURE_DECODER;
  settings.time = std::chrono::seconds(150);  // whatever else the machine has to do
  return settings;
}

std::string complaint(const Bytes& bytes, const RoomSettings& settings = room()) {
  return thrown([&] { decode_foreign(bytes, "it", settings); });
}

long peak_of_children_mib() {
  rusage usage{};
  getrusage(RUSAGE_CHILDREN, &usage);
  return usage.ru_maxrss / 1024;
}

}  // namespace

TEST_CASE("a picture comes out of the room as it would of this process", "[room]") {
  const Bytes bytes = house_jpeg(1300, 900);
  RoomSettings inside = room(), outside = room();
  outside.sandbox = false;
  const Image alone = decode_foreign(bytes, "it", inside);
  CHECK(alone.width == 1300);
  CHECK(alone.height == 900);
  CHECK(alone.pixels == decode_foreign(bytes, "it", outside).pixels);
  inside.max_side = 325;
  const Image small = decode_foreign(bytes, "it", inside);
  CHECK(small.width == 325);
  CHECK(small.height == 225);
  // PNG and WebP have other decoders, which want other system calls.
  for (const cards::Format format : {cards::Format::Png, cards::Format::Webp}) {
    const Bytes other = cards::encode(alone, format).bytes;
    CHECK(decode_foreign(other, "it", room()).width == 1300);
  }
}

TEST_CASE("whoever is locked up can open, connect, run and signal nothing", "[room]") {
  const std::unique_ptr<std::FILE, decltype(&pclose)> pipe(popen(AFFICHE_SANDBOX_PROBE, "r"),
                                                           &pclose);
  REQUIRE(pipe);
  char answer[200] = "";
  REQUIRE(std::fgets(answer, sizeof answer, pipe.get()) != nullptr);
  CHECK(std::string(answer) == "thread | ");
}

TEST_CASE("a deflate bomb within the limits is decoded, one beyond them is not", "[room][bomb]") {
  const Bytes allowed = deflate_bomb(8'000, 6'000);
  CHECK(allowed.size() < 200'000);
  CHECK(decode_foreign(allowed, "it", room()).width == 3'840);
  RoomSettings small = room();
  small.max_megapixels = 10;
  CHECK(contains(complaint(allowed, small), "at most 10000000 pixels"));
  // The check from outside refuses it before any process starts.
  CHECK(contains(thrown([&] { photos::check_picture(allowed, "it", {.max_pixels = 10'000'000}); }),
                 "refused: it"));
  CHECK(peak_of_children_mib() < 700);
}

TEST_CASE("damaged pictures cost a process and no more", "[room][bomb]") {
  const Bytes whole = house_jpeg(640, 480);
  unsigned state = 1;
  const auto next = [&] { return (state = state * 1664525U + 1013904223U) >> 8; };
  for (int round = 0; round < 12; ++round) {
    Bytes changed = whole;
    for (int i = 0; i < 40; ++i) {
      changed[200 + next() % (changed.size() - 200)] = static_cast<std::uint8_t>(next());
    }
    const std::string said = complaint(changed);
    CHECK((said == "nothing was thrown" || said.starts_with("bad_input: it: ")));
  }
  CHECK(contains(complaint({whole.begin(), whole.begin() + 5'000}), "bad_input: it: "));
  CHECK(contains(complaint({}), "bad_input: it: "));
  const std::string text = "<svg xmlns='http://www.w3.org/2000/svg'/>";
  CHECK(contains(complaint({text.begin(), text.end()}), "bad_input: it: "));
  // And the next one is decoded as ever.
  CHECK(complaint(whole) == "nothing was thrown");
}

TEST_CASE("a decoder that never ends, dies or lies is an error of the picture", "[room]") {
  const Bytes whole = house_jpeg(64, 48);
  RoomSettings other = room();
  other.program = "/bin/false";
  CHECK(contains(complaint(whole, other), "bad_input: it: the picture makes its decoder fail"));
  other.program = "/bin/echo";
  CHECK(contains(complaint(whole, other), "bad_input: it: "));
  other.program = "/no/such/program";
  CHECK(contains(complaint(whole, other), "unavailable: decoding: cannot start"));
  test::TemporaryFolder folder;
  const auto script = [&](const std::string& text) {
    write_atomically(folder / "decoder", "#!/bin/sh\n" + text + "\n");
    std::filesystem::permissions(folder / "decoder", std::filesystem::perms::owner_all);
    other.program = folder / "decoder";
  };
  script("exec sleep 100");
  other.time = std::chrono::seconds(1);
  CHECK(contains(complaint(whole, other), "refused: it: expected to be decoded within 4 s"));
  other.time = std::chrono::seconds(30);
  script("exec yes");
  other.max_side = 100;
  CHECK(contains(complaint(whole, other), "refused: it: its decoder answers more"));
  script("kill -SEGV $$");
  CHECK(contains(complaint(whole, other), "(signal 11)"));
  script("printf 'ok\\nAFPX nonsense'");
  CHECK(contains(complaint(whole, other), "bad_input: it: "));
  std::stop_source stop;
  stop.request_stop();
  script("exec sleep 100");
  CHECK(contains(thrown([&] { decode_foreign(whole, "it", other, stop.get_token()); }),
                 "cancelled: it"));
}
