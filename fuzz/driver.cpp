// SPDX-License-Identifier: Apache-2.0
// A main() for fuzz targets where there is no libFuzzer: replays a corpus and then a fixed number
// of mutations of it, the same ones every time.
//   fuzz_TARGET [--runs N] [--seed N] FILE|FOLDER…
// The input at hand is in the file that is named on standard error when a run dies.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "base/files.h"
#include "fuzz/mutate.h"
#include "fuzz/target.h"

namespace {

namespace fs = std::filesystem;
using affiche::Bytes;

constexpr unsigned kSecondsPerInput = 20;
constexpr std::size_t kLongestInput = 1 << 16;

// Where the input at hand lies, for whoever looks into a crash: a mapped file, so that it is there
// whatever happens to the process.
class LastInput {
 public:
  LastInput() : path_(fs::temp_directory_path() / ("fuzz-input-" + std::to_string(::getpid()))) {
    file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file_ < 0 || ::ftruncate(file_, kLongestInput) != 0) std::abort();
    place_ = ::mmap(nullptr, kLongestInput, PROT_READ | PROT_WRITE, MAP_SHARED, file_, 0);
    if (place_ == MAP_FAILED) std::abort();
  }
  void keep(const Bytes& bytes) {
    std::memcpy(place_, bytes.data(), bytes.size());
    size_ = bytes.size();
  }
  // Safe in a signal handler.
  void finish() const { static_cast<void>(!::ftruncate(file_, static_cast<off_t>(size_))); }
  void forget() { fs::remove(path_); }
  const char* name() const { return path_.c_str(); }

 private:
  fs::path path_;
  int file_ = -1;
  void* place_ = nullptr;
  std::size_t size_ = 0;
};

const LastInput* last_input = nullptr;

// Says which input it was and dies of the same signal.
void on_signal(int signal) {
  constexpr std::string_view kText = "\nfuzz: died at the input in ";
  static_cast<void>(!::write(STDERR_FILENO, kText.data(), kText.size()));
  static_cast<void>(!::write(STDERR_FILENO, last_input->name(), std::strlen(last_input->name())));
  static_cast<void>(!::write(STDERR_FILENO, "\n", 1));
  last_input->finish();
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void limit_memory() {
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlimit limit{rlim_t{8} << 30, rlim_t{8} << 30};
  ::setrlimit(RLIMIT_AS, &limit);
#endif
}

void run(const Bytes& input, LastInput& last) {
  last.keep(input);
  ::alarm(kSecondsPerInput);
  LLVMFuzzerTestOneInput(input.data(), input.size());
  ::alarm(0);
}

std::vector<Bytes> read_corpus(const std::vector<std::string>& places) {
  std::vector<fs::path> files;
  for (const std::string& place : places) {
    if (!fs::is_directory(place)) {
      files.emplace_back(place);
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(place)) {
      if (entry.is_regular_file()) files.push_back(entry.path());
    }
  }
  std::sort(files.begin(), files.end());
  std::vector<Bytes> corpus;
  for (const fs::path& file : files) {
    if (fs::file_size(file) <= kLongestInput) corpus.push_back(affiche::read_bytes(file));
  }
  return corpus;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t runs = 1000;
  std::uint64_t seed = 1;
  std::vector<std::string> places;
  for (int i = 1; i < argc; ++i) {
    const std::string word = argv[i];
    if ((word == "--runs" || word == "--seed") && i + 1 < argc) {
      (word == "--runs" ? runs : seed) = std::stoull(argv[++i]);
    } else {
      places.push_back(word);
    }
  }
  const std::vector<Bytes> corpus = read_corpus(places);
  if (corpus.empty()) {
    std::fprintf(stderr, "fuzz: no corpus\n");
    return 2;
  }
  LastInput last;
  last_input = &last;
  for (const int signal : {SIGSEGV, SIGBUS, SIGABRT, SIGALRM, SIGFPE, SIGILL}) {
    std::signal(signal, on_signal);
  }
  limit_memory();
  for (const Bytes& input : corpus) run(input, last);
  std::mt19937_64 random(seed);
  for (std::size_t i = 0; i < runs; ++i) {
    run(affiche::fuzz::mutate(corpus, random, kLongestInput), last);
  }
  last.forget();
  std::printf("%zu inputs and %zu mutations\n", corpus.size(), runs);
  return 0;
}
