// SPDX-License-Identifier: Apache-2.0
// What `affiche generate` does when it is interrupted, watched, or short of memory.
#include <vector>

#include "cards/encode.h"
#include "catch.h"
#include "cli/pictures.h"

using namespace affiche;
using namespace affiche::test;

namespace {

using Words = std::vector<std::string>;

Words castle(const Words& more) {
  Words words = {"generate",
                 "--threads",
                 "1",
                 "--model",
                 Golden::model("sd15"),
                 "--prompt",
                 "a castle on a hill",
                 "--width",
                 "64",
                 "--height",
                 "64",
                 "--out",
                 "a.png"};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

Json only_line(const std::string& text) {
  return parse_json(text, "standard output");
}

}  // namespace

TEST_CASE("a generation that is interrupted stops after its step, writes nothing and says so") {
  for (const int signal : {SIGINT, SIGTERM}) {
    CAPTURE(signal);
    const TemporaryFolder folder;
    Surroundings around;
    around.folder = folder.path();
    around.signal = signal;
    around.when_written = folder / "soon.png";
    const Answer answer = run_program(
        castle({"--steps", "900", "--preview", "soon.png", "--json", "--latents-out", "l.st"}),
        around);
    INFO(answer.out << answer.err);
    CHECK(answer.code == 1);
    CHECK(only_line(answer.out).at("cause") == "cancelled");
    CHECK(answer.says("generation stopped before step"));
    CHECK_FALSE(std::filesystem::exists(folder / "a.png"));
    CHECK_FALSE(std::filesystem::exists(folder / "l.st"));
    // Nor a temporary file.
    std::size_t files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
      INFO(entry.path());
      CHECK(entry.path().filename() == "soon.png");
      ++files;
    }
    CHECK(files == 1);
  }
}

TEST_CASE("a preview is a picture of the final size and shows what the picture will be") {
  const TemporaryFolder folder;
  Surroundings around;
  around.folder = folder.path();
  const Answer answer = run_program(castle({"--steps", "6", "--preview", "p.png"}), around);
  INFO(answer.err);
  REQUIRE(answer.code == 0);
  CHECK(levels(folder / "p.png").sizes() == levels(folder / "a.png").sizes());
  const Answer wrong = run_program(castle({"--preview", "p.jpg"}), around);
  CHECK(wrong.code == 2);
  CHECK(wrong.says("--preview p.jpg"));
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_CASE("a picture too large for the memory is an error that says how much is needed") {
  const TemporaryFolder folder;
  Surroundings around;
  around.folder = folder.path();
  REQUIRE(run_program(castle({"--steps", "1"}), around).code == 0);
  // libtorch's libraries and one thread take less than half of it.
  around.address_space = std::uint64_t{3} << 30;
  REQUIRE(run_program(castle({"--steps", "1"}), around).code == 0);
  write_atomically(folder / "large.png", cards::encode_png(make_image(5120, 5120, 3)));
  const Words words = castle({"--steps", "2", "--init", "large.png", "--json"});
  const Answer answer = run_program(words, around);
  INFO(answer.out << answer.err);
  CHECK(answer.code == 75);
  CHECK(only_line(answer.out).at("cause") == "unavailable");
  const std::string error = only_line(answer.out).at("error");
  CHECK(error.find("encoding the text and inputs of 1 picture of 5120x5120: out of memory: ") !=
        std::string::npos);
  CHECK(error.find(" MiB more were needed; take a smaller size") != std::string::npos);
}
#endif
