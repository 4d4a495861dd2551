// SPDX-License-Identifier: Apache-2.0
// One writer at a time, between processes too: a lock on FILE-gate that every write transaction and
// every checkpoint holds. SQLite's own locks would do for writes, but before 3.51.3 a checkpoint
// that meets a writer at the wrong instant can corrupt a WAL database (Debian 12 has 3.40.1); under
// the gate they never meet. The kernel releases the lock of a process that dies.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>

namespace affiche::store {

class WriteGate {
 public:
  explicit WriteGate(const std::filesystem::path& database);
  ~WriteGate();
  WriteGate(const WriteGate&) = delete;
  WriteGate& operator=(const WriteGate&) = delete;

  // Held for the life of the object. Unavailable when another process keeps it for `timeout`.
  class Pass {
   public:
    explicit Pass(const WriteGate& gate, std::chrono::milliseconds timeout = kTimeout);
    ~Pass();
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;

   private:
    int fd_;
  };
  static constexpr std::chrono::milliseconds kTimeout{10'000};

 private:
  std::string path_;
  int fd_ = -1;
};

}  // namespace affiche::store
