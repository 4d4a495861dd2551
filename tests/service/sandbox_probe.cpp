// SPDX-License-Identifier: Apache-2.0
// Locks itself up and tries to get out: prints what worked. Run by picture_room.cpp.
#include <arpa/inet.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>

#include "service/sandbox.h"

namespace {

std::string worked;

void attempt(const char* name, bool success) {
  if (success) worked += std::string(name) + " ";
}

}  // namespace

int main() {
  const pid_t parent = ::getppid();
  affiche::service::enter_sandbox({std::uint64_t{256} << 20, 5});
  attempt("open", ::open("/etc/hostname", O_RDONLY) >= 0);
  attempt("create", ::open("sandbox-probe.txt", O_WRONLY | O_CREAT, 0600) >= 0);
  attempt("socket", ::socket(AF_INET, SOCK_STREAM, 0) >= 0);
  attempt("unix", ::socket(AF_UNIX, SOCK_STREAM, 0) >= 0);
  attempt("fork", ::fork() >= 0);
  attempt("kill", ::kill(parent, 0) == 0);
  char program[] = "/bin/true";
  char* arguments[] = {program, nullptr};
  attempt("exec", ::execv(program, arguments) == 0);
  attempt("unlink", ::unlink("sandbox-probe.txt") == 0);
  attempt("chdir", ::chdir("/") == 0);
  attempt("code", ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  attempt("turn", ::mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
  attempt("memory", ::mmap(nullptr, std::size_t{1} << 30, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
  // What it must be able to do.
  bool ran = false;
  std::thread([&] { ran = true; }).join();
  const std::string answer = std::string(ran ? "thread" : "") + " | " + worked;
  return ::write(STDOUT_FILENO, answer.data(), answer.size()) > 0 ? 0 : 1;
}
