// SPDX-License-Identifier: Apache-2.0
// Locks between processes (flock on empty files, which are never deleted: a lock on a deleted file
// keeps nobody out). The kernel drops them when a process dies.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>

namespace affiche {

class FileLock {
 public:
  enum class Kind { Shared, Exclusive };
  // Nothing when somebody else holds it in the way. Unavailable when the file can not be made.
  static std::optional<FileLock> attempt(const std::filesystem::path& file, Kind kind);
  // Waits; `waiting` is called once when it has to. Cancelled once `stop` is requested.
  static FileLock wait(const std::filesystem::path& file, Kind kind,
                       const std::function<void()>& waiting = {}, std::stop_token stop = {});
  ~FileLock();
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&& other) noexcept;

 private:
  explicit FileLock(int file) : file_(file) {}
  int file_;
};

}  // namespace affiche
