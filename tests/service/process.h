// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <string>
#include <vector>

#include "base/error.h"

namespace affiche::test {

// A child process whose standard output can be read; killed at the end of the object's life.
class Process {
 public:
  explicit Process(std::vector<std::string> words) {
    int ends[2];
    if (::pipe(ends) != 0) fail(Cause::Internal, "pipe");
    pid_ = ::fork();
    if (pid_ == 0) {
      ::dup2(ends[1], STDOUT_FILENO);
      ::close(ends[0]);
      ::close(ends[1]);
      std::vector<char*> arguments;
      for (std::string& word : words) arguments.push_back(word.data());
      arguments.push_back(nullptr);
      ::execv(arguments[0], arguments.data());
      ::_exit(127);
    }
    ::close(ends[1]);
    output_ = ends[0];
  }
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
    ::close(output_);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  // Waits until the child has written a line or ended.
  bool wait_for_line() {
    char c = 0;
    while (::read(output_, &c, 1) == 1) {
      if (c == '\n') return true;
    }
    return false;
  }
  void send(int signal) { ::kill(pid_, signal); }
  // The wait status.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }

 private:
  pid_t pid_ = -1;
  int output_ = -1;
};

}  // namespace affiche::test
