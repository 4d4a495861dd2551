// SPDX-License-Identifier: Apache-2.0
#include "service/child_program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "base/error.h"

namespace affiche::service {
namespace {

constexpr std::size_t kMostKept = 2000;  // bytes of its complaints

// What a program needs to run, and no more.
std::vector<std::string> plain_environment() {
  std::vector<std::string> result;
  for (const char* name : {"PATH", "HOME", "LANG", "TMPDIR", "SSL_CERT_FILE", "LD_LIBRARY_PATH"}) {
    if (const char* value = std::getenv(name); value != nullptr) {
      result.push_back(std::string(name) + "=" + value);
    }
  }
  return result;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

pid_t start(const std::string& program, const std::vector<std::string>& arguments, int complaints) {
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, complaints, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&files, complaints, STDERR_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigemptyset(&none);
  posix_spawnattr_setsigmask(&attributes, &none);
  // A group of its own, so that what it starts ends with it.
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> words = {program};
  words.insert(words.end(), arguments.begin(), arguments.end());
  std::vector<std::string> variables = plain_environment();
  pid_t pid = -1;
  const int code = ::posix_spawnp(&pid, program.c_str(), &files, &attributes,
                                  pointers_to(words).data(), pointers_to(variables).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (code != 0) {
    fail(Cause::Unavailable, "program ", program, ": cannot be started: ", std::strerror(code));
  }
  return pid;
}

// Reads until the program closes its end, or is late. The end of what it wrote.
std::string listen_to(int file, std::chrono::steady_clock::time_point deadline, bool& late) {
  std::string heard;
  std::array<char, 4096> piece{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) {
      late = true;
      return heard;
    }
    pollfd waiting{file, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min<long>(left.count(), 1000)));
    if (ready <= 0) continue;
    const ssize_t count = ::read(file, piece.data(), piece.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return heard;
    heard.append(piece.data(), static_cast<std::size_t>(count));
    if (heard.size() > kMostKept) heard.erase(0, heard.size() - kMostKept);
  }
}

std::string one_line(std::string text) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text.empty() ? "it said nothing" : text;
}

}  // namespace

ProgramAnswer run_child(const std::string& program, const std::vector<std::string>& arguments,
                        std::chrono::seconds most_time) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    fail(Cause::Unavailable, "program ", program, ": no pipe: ", std::strerror(errno));
  }
  pid_t pid = -1;
  try {
    pid = start(program, arguments, ends[1]);
  } catch (...) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[1]);
  ProgramAnswer answer;
  const auto deadline = std::chrono::steady_clock::now() + most_time;
  answer.complaint = one_line(listen_to(ends[0], deadline, answer.late));
  ::close(ends[0]);
  int status = 0;
  // It may go on after it closed its ends.
  while (!answer.late && ::waitpid(pid, &status, WNOHANG) == 0) {
    answer.late = std::chrono::steady_clock::now() > deadline;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (answer.late) {
    ::kill(-pid, SIGKILL);
    while (::waitpid(pid, &status, 0) < 0 && errno == EINTR) {
    }
  }
  answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return answer;
}

}  // namespace affiche::service
