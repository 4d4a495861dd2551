// SPDX-License-Identifier: Apache-2.0
// affiche-train, killed with SIGKILL and started again, against a run that nobody killed.
#include <fcntl.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <fstream>
#include <random>
#include <sstream>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "catch.h"
#include "diffusion/training/drawing/scene.h"
#include "diffusion/training/pictures.h"
#include "store/temporary_folder.h"

using namespace affiche;
using namespace affiche::diffusion;
using Words = std::vector<std::string>;

namespace {

const std::filesystem::path kModel =
    std::filesystem::path(AFFICHE_SOURCE_DIR) / "tests/data/goldens/models/sd15";
constexpr int kSteps = 24;

// A child process that trains; what it prints goes to `output`.
class Trainer {
 public:
  Trainer(Words words, const std::filesystem::path& output) {
    words.insert(words.begin(), AFFICHE_TRAIN);
    std::vector<char*> pointers;
    for (std::string& word : words) pointers.push_back(word.data());
    pointers.push_back(nullptr);
    child_ = ::fork();
    if (child_ < 0) fail(Cause::Internal, "fork");
    if (child_ > 0) return;
    const int file = ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(file, STDOUT_FILENO);
    ::dup2(file, STDERR_FILENO);
    ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  ~Trainer() {
    if (child_ > 0) kill_now();
  }
  Trainer(const Trainer&) = delete;
  Trainer& operator=(const Trainer&) = delete;
  int wait() {
    int status = 0;
    ::waitpid(child_, &status, 0);
    child_ = 0;
    return status;
  }
  bool running() {
    int status = 0;
    if (child_ > 0 && ::waitpid(child_, &status, WNOHANG) == child_) child_ = 0;
    return child_ > 0;
  }
  // True when the signal found the program at work.
  bool kill_now() {
    ::kill(child_, SIGKILL);
    const int status = wait();
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  }

 private:
  pid_t child_ = 0;
};

// Tells when a file is begun in a folder.
class Watch {
 public:
  explicit Watch(const std::filesystem::path& folder) : file_(::inotify_init1(IN_CLOEXEC)) {
    if (file_ < 0 || ::inotify_add_watch(file_, folder.c_str(), IN_CREATE) < 0)
      fail(Cause::Internal, "inotify");
  }
  ~Watch() { ::close(file_); }
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  // True when a temporary file was created within the time.
  bool temporary_created(int milliseconds) const {
    pollfd ready = {file_, POLLIN, 0};
    if (::poll(&ready, 1, milliseconds) <= 0) return false;
    alignas(inotify_event) std::array<char, 4096> buffer{};
    const ssize_t size = ::read(file_, buffer.data(), buffer.size());
    return std::string_view(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(0, size)))
               .find(kTemporaryPrefix) != std::string_view::npos;
  }

 private:
  int file_;
};

std::size_t half_written(const std::filesystem::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    count += entry.path().filename().string().starts_with(kTemporaryPrefix) ? 1 : 0;
  return count;
}

std::vector<Json> log_lines(const std::filesystem::path& work) {
  std::istringstream text(read_text(work / "log.jsonl"));
  std::vector<Json> lines;
  for (std::string line; std::getline(text, line);) {
    lines.push_back(Json::parse(line));
    lines.back().erase("images_per_second");
  }
  return lines;
}

// One way of training: the command line for a folder, and the files that the folder then holds.
struct Way {
  std::function<Words(const std::filesystem::path& folder)> words;
  Words results;
};

// Lets the program train for a random number of log lines and a little more, then kills it.
bool killed_at_random(const Way& way, const std::filesystem::path& folder, std::mt19937& random) {
  Trainer trainer(way.words(folder), folder / "output");
  const std::size_t before =
      std::filesystem::exists(folder / "work/log.jsonl") ? log_lines(folder / "work").size() : 0;
  const std::size_t goal = before + random() % 3;
  while (trainer.running()) {
    std::ifstream log(folder / "work/log.jsonl");
    std::size_t lines = 0;
    for (std::string line; std::getline(log, line);) ++lines;
    if (log.eof() && lines > goal) break;
    ::usleep(500);
  }
  ::usleep(static_cast<useconds_t>(random() % 30000));
  return trainer.running() && trainer.kill_now();
}

// Kills the program as soon as it has begun to write a checkpoint.
bool killed_while_it_writes(const Way& way, const std::filesystem::path& folder) {
  const Watch watch(folder / "work");
  Trainer trainer(way.words(folder), folder / "output");
  while (trainer.running())
    if (watch.temporary_created(20)) return trainer.kill_now() && half_written(folder / "work") > 0;
  return false;
}

void train_whole(const Way& way, const std::filesystem::path& folder) {
  INFO(read_text(folder / "output"));
  Trainer trainer(way.words(folder), folder / "output");
  REQUIRE(trainer.wait() == 0);
}

void check_alike(const Way& way, const std::filesystem::path& whole,
                 const std::filesystem::path& killed) {
  const std::vector<Json> expected = log_lines(whole / "work"), found = log_lines(killed / "work");
  REQUIRE(expected.size() == kSteps / 2);
  REQUIRE(found == expected);
  for (const std::string& result : way.results) {
    INFO(result);
    REQUIRE(read_bytes(whole / result) == read_bytes(killed / result));
  }
  CHECK(half_written(killed / "work") == 0);
}

void check_kills(const Way& way, const std::filesystem::path& whole,
                 const std::filesystem::path& killed) {
  for (const auto& folder : {whole, killed}) write_atomically(folder / "output", "");
  train_whole(way, whole);
  std::mt19937 random(20261122);
  int kills = 0, writes = 0;
  for (int i = 0; i < 4; ++i) kills += killed_at_random(way, killed, random) ? 1 : 0;
  REQUIRE(kills >= 2);
  REQUIRE(std::filesystem::exists(killed / "work/checkpoint.safetensors"));
  for (int i = 0; i < 4 && writes < 2; ++i) writes += killed_while_it_writes(way, killed) ? 1 : 0;
  REQUIRE(writes >= 1);
  // A power cut may leave half a line, where kill -9 leaves whole ones.
  std::ofstream(killed / "work/log.jsonl", std::ios::app) << R"({"step":9999,"lo)";
  train_whole(way, killed);
  check_alike(way, whole, killed);
  train_whole(way, killed);  // once more: nothing is left to do
  check_alike(way, whole, killed);
}

Words loop_options(const std::filesystem::path& folder) {
  // Log lines and checkpoints at different steps: a checkpoint then holds half a line's losses.
  return {"--work",        folder / "work",
          "--steps",       std::to_string(kSteps),
          "--log-every",   "2",
          "--save-every",  "3",
          "--threads",     "1",
          "--sheet-every", "0"};
}

}  // namespace

TEST_CASE("a LoRA run killed again and again ends as one that was not", "[training][killed]") {
  const test::TemporaryFolder folder;
  for (int i = 0; i < 5; ++i) {
    const Scene scene = random_scene(static_cast<std::uint64_t>(i), Family::SoftWaves);
    write_ppm(folder / concat("data/", i, ".ppm"), draw(scene, 80, 80));
  }
  const Way way = {[&](const std::filesystem::path& place) {
                     Words words = {"lora",
                                    "--model",
                                    kModel,
                                    "--data",
                                    folder / "data",
                                    "--out",
                                    place / "out.safetensors",
                                    "--caption",
                                    "soft waves",
                                    "--width",
                                    "64",
                                    "--height",
                                    "64",
                                    "--sample-steps",
                                    "1",
                                    "--prompt",
                                    "waves",
                                    "--validate-every",
                                    "4",
                                    "--warm-up",
                                    "2",
                                    "--rate",
                                    "0.01",
                                    "--optimizer",
                                    "adamw",
                                    "--flips"};
                     const Words loop = loop_options(place);
                     words.insert(words.end(), loop.begin(), loop.end());
                     return words;
                   },
                   {"out.safetensors", "out-before-after.ppm", "work/checkpoint.safetensors"}};
  check_kills(way, folder / "whole", folder / "killed");
}

TEST_CASE("a base model's run killed again and again ends as one that was not",
          "[training][killed]") {
  const test::TemporaryFolder folder;
  for (const char* place : {"whole", "killed"}) {
    std::filesystem::create_directories(folder / place);
    std::filesystem::copy(kModel, folder / place / "model",
                          std::filesystem::copy_options::recursive);
  }
  const Way way = {[&](const std::filesystem::path& place) {
                     Words words = {"base",          "unet",      "--model",
                                    place / "model", "--latents", folder / "latents.safetensors",
                                    "--batch",       "2"};
                     const Words loop = loop_options(place);
                     words.insert(words.end(), loop.begin(), loop.end());
                     return words;
                   },
                   {"model/unet/diffusion_pytorch_model.safetensors",
                    "model/text_encoder/model.safetensors", "work/checkpoint.safetensors"}};
  Trainer encode({"base", "encode", "--model", kModel, "--out", folder / "latents.safetensors",
                  "--width", "64", "--height", "64", "--count", "6"},
                 folder / "output");
  REQUIRE(encode.wait() == 0);
  check_kills(way, folder / "whole", folder / "killed");
}
