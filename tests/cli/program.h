// SPDX-License-Identifier: Apache-2.0
// Runs the program as users do: arguments in; exit code, standard output and standard error out.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "store/temporary_folder.h"

namespace affiche::test {

struct Answer {
  int code = -1;  // the exit code; 128 + signal when one ended it
  std::string out;
  std::string err;
  Json json() const { return parse_json(out, "standard output"); }
  bool says(const std::string& part) const {
    return out.find(part) != std::string::npos || err.find(part) != std::string::npos;
  }
};

struct Surroundings {
  std::filesystem::path folder = ".";  // the working folder
  std::string input;                   // standard input
  std::vector<std::string> variables;  // NAME=VALUE, over those of the test
  std::chrono::seconds timeout{120};
  std::uint64_t address_space = 0;  // bytes that the program may map; 0: as many as it likes
  int signal = 0;                   // sent once …
  std::filesystem::path when_written = {};  // … this file is there
};

// Files in place of pipes: neither side can block the other.
class Streams {
 public:
  explicit Streams(const std::string& input) {
    write_atomically(folder_ / "in", input);
    in_ = ::open((folder_ / "in").c_str(), O_RDONLY | O_CLOEXEC);
    out_ = ::open((folder_ / "out").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    err_ = ::open((folder_ / "err").c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (in_ < 0 || out_ < 0 || err_ < 0) fail(Cause::Internal, "cannot open files for a child");
  }
  ~Streams() {
    for (const int file : {in_, out_, err_}) ::close(file);
  }
  Streams(const Streams&) = delete;
  Streams& operator=(const Streams&) = delete;
  void become_standard() const {
    ::dup2(in_, STDIN_FILENO);
    ::dup2(out_, STDOUT_FILENO);
    ::dup2(err_, STDERR_FILENO);
  }
  std::string out() const { return read_text(folder_ / "out"); }
  std::string err() const { return read_text(folder_ / "err"); }

 private:
  TemporaryFolder folder_;
  int in_ = -1, out_ = -1, err_ = -1;
};

// 128 + SIGKILL when it was still running after the timeout.
inline int wait_for(pid_t child, const Surroundings& around) {
  const auto end = std::chrono::steady_clock::now() + around.timeout;
  int status = 0;
  bool sent = around.signal == 0;
  while (::waitpid(child, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end) ::kill(child, SIGKILL);
    if (!sent && std::filesystem::exists(around.when_written)) {
      sent = ::kill(child, around.signal) == 0;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

inline Answer run_program(const std::vector<std::string>& arguments,
                          const Surroundings& around = {}) {
  std::vector<std::string> words = {AFFICHE_PROGRAM};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<char*> pointers;
  for (std::string& word : words) pointers.push_back(word.data());
  pointers.push_back(nullptr);
  std::vector<std::string> variables = around.variables;
  const Streams streams(around.input);
  const pid_t child = ::fork();
  if (child < 0) fail(Cause::Internal, "fork");
  if (child == 0) {
    streams.become_standard();
    if (around.address_space > 0) {
      const rlimit limit{around.address_space, around.address_space};
      ::setrlimit(RLIMIT_AS, &limit);
    }
    for (std::string& variable : variables) ::putenv(variable.data());
    if (::chdir(around.folder.c_str()) == 0) ::execv(pointers[0], pointers.data());
    ::_exit(127);
  }
  const int code = wait_for(child, around);
  return {code, streams.out(), streams.err()};
}

}  // namespace affiche::test
