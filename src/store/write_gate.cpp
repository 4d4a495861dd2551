// SPDX-License-Identifier: Apache-2.0
#include "store/write_gate.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <thread>

#include "base/error.h"

namespace affiche::store {

WriteGate::WriteGate(const std::filesystem::path& database) : path_(database.string() + "-gate") {
  fd_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (fd_ < 0) {
    affiche::fail(Cause::BadInput, path_, ": cannot open the lock file: ", std::strerror(errno),
                  "; the folder of the database must be writable");
  }
}

WriteGate::~WriteGate() {
  ::close(fd_);
}

// flock() has no timeout of its own, and a stopped process may hold the lock for ever.
WriteGate::Pass::Pass(const WriteGate& gate, std::chrono::milliseconds timeout) : fd_(gate.fd_) {
  const auto start = std::chrono::steady_clock::now();
  std::chrono::microseconds pause{200};
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      affiche::fail(Cause::Unavailable, gate.path_, ": cannot lock: ", std::strerror(errno));
    }
    if (std::chrono::steady_clock::now() - start > timeout) {
      affiche::fail(Cause::Unavailable, gate.path_, ": another process has held the database for ",
                    timeout.count(), " ms; try later");
    }
    std::this_thread::sleep_for(pause);
    pause = std::min(pause * 2, std::chrono::microseconds{5'000});
  }
}

WriteGate::Pass::~Pass() {
  ::flock(fd_, LOCK_UN);
}

}  // namespace affiche::store
