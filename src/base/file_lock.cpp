// SPDX-License-Identifier: Apache-2.0
#include "base/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "base/error.h"

namespace affiche {

std::optional<FileLock> FileLock::attempt(const std::filesystem::path& file, Kind kind) {
  std::error_code ignored;
  std::filesystem::create_directories(file.parent_path(), ignored);
  int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  // A cache that is read-only to us can be used all the same.
  if (descriptor < 0 && (errno == EACCES || errno == EROFS) && kind == Kind::Shared) {
    descriptor = ::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (descriptor < 0 && errno == ENOENT) return FileLock(-1);
  }
  if (descriptor < 0) {
    fail(Cause::Unavailable, file.string(), ": cannot open the lock: ", std::strerror(errno));
  }
  FileLock lock(descriptor);
  while (::flock(descriptor, (kind == Kind::Shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return {};
    if (errno != EINTR) {
      fail(Cause::Unavailable, file.string(), ": cannot lock: ", std::strerror(errno));
    }
  }
  return lock;
}

FileLock FileLock::wait(const std::filesystem::path& file, Kind kind,
                        const std::function<void()>& waiting, std::stop_token stop) {
  for (bool told = false;; told = true) {
    if (auto lock = attempt(file, kind)) return std::move(*lock);
    if (!told && waiting) waiting();
    if (stop.stop_requested()) fail(Cause::Cancelled, "stopped while waiting for another process");
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
}

FileLock::~FileLock() {
  if (file_ >= 0) ::close(file_);
}

FileLock::FileLock(FileLock&& other) noexcept : file_(std::exchange(other.file_, -1)) {}

FileLock& FileLock::operator=(FileLock&& other) noexcept {
  std::swap(file_, other.file_);
  return *this;
}

}  // namespace affiche
