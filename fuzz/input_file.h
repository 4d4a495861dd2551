// SPDX-License-Identifier: Apache-2.0
// Bytes as a file that exists in memory only, for readers that want a path.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <span>
#include <string>

namespace affiche::fuzz {

class InputFile {
 public:
  explicit InputFile(std::span<const std::uint8_t> bytes)
      : file_(::memfd_create("fuzz", MFD_CLOEXEC)) {
    const ssize_t written = file_ < 0 ? -1 : ::write(file_, bytes.data(), bytes.size());
    if (written != static_cast<ssize_t>(bytes.size())) std::abort();
  }
  ~InputFile() { ::close(file_); }
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  std::filesystem::path path() const { return "/proc/self/fd/" + std::to_string(file_); }

 private:
  int file_;
};

}  // namespace affiche::fuzz
