// SPDX-License-Identifier: Apache-2.0
#include "store/artifacts.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/sha256.h"

namespace affiche::store {
namespace {

bool is_name(const std::string& text) {
  return text.size() == 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

// Writers share the folder, a sweep has it alone.
class FolderLock {
 public:
  FolderLock(const std::filesystem::path& folder, int operation) {
    const std::filesystem::path file = folder / ".lock";
    fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd_ < 0) {
      fail(Cause::BadInput, file.string(), ": cannot open the lock file: ", std::strerror(errno));
    }
    while (::flock(fd_, operation) != 0) {
      if (errno == EINTR) continue;
      const int code = errno;
      ::close(fd_);
      fail(Cause::Unavailable, file.string(), ": cannot lock: ", std::strerror(code));
    }
  }
  ~FolderLock() { ::close(fd_); }
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int fd_ = -1;
};

Millis modified_ms(const std::filesystem::path& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return 0;
  return static_cast<Millis>(info.st_mtim.tv_sec) * 1000 + info.st_mtim.tv_nsec / 1'000'000;
}

bool is_leftover(const std::filesystem::path& file) {
  return file.filename().string().starts_with(kTemporaryPrefix);
}

}  // namespace

Artifacts::Artifacts(std::filesystem::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  std::filesystem::create_directories(folder_, error);
  if (error) {
    fail(Cause::BadInput, folder_.string(), ": cannot make the artifact folder: ", error.message());
  }
}

std::filesystem::path Artifacts::path(const std::string& sha256) const {
  if (!is_name(sha256)) {
    fail(Cause::BadInput, "artifact \"", sha256, "\": expected 64 lower-case hexadecimal digits");
  }
  return folder_ / sha256.substr(0, 2) / sha256;
}

std::string Artifacts::put(std::span<const std::uint8_t> bytes) const {
  const std::string name = sha256_hex(bytes);
  const std::filesystem::path file = path(name);
  const FolderLock lock(folder_, LOCK_SH);
  // Renames are atomic, so a file of the right size is the whole file.
  std::error_code error;
  const bool present = std::filesystem::file_size(file, error) == bytes.size() && !error;
  if (!present || ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0) != 0) {
    write_atomically(file, bytes);
  }
  return name;
}

bool Artifacts::has(const std::string& sha256) const {
  std::error_code error;
  return std::filesystem::is_regular_file(path(sha256), error);
}

Bytes Artifacts::get(const std::string& sha256) const {
  const std::filesystem::path file = path(sha256);
  Bytes bytes = read_bytes(file);
  if (sha256_hex(bytes) != sha256) {
    std::error_code ignored;
    std::filesystem::remove(file, ignored);
    fail(Cause::Unavailable, file.string(),
         ": its bytes differ from its name (a damaged disk, or somebody wrote to it); it was "
         "deleted "
         "and is made again by the next attempt");
  }
  return bytes;
}

Artifacts::Swept Artifacts::sweep(const std::set<std::string>& referenced, Millis older_than,
                                  Millis now) const {
  const FolderLock lock(folder_, LOCK_EX);
  Swept swept;
  for (const auto& folder : std::filesystem::directory_iterator(folder_)) {
    if (!folder.is_directory() || folder.path().filename().string().size() != 2) continue;
    swept.leftovers += sweep_temporaries(folder.path(), older_than, now);
    for (const auto& file : std::filesystem::directory_iterator(folder.path())) {
      const std::string name = file.path().filename().string();
      if (!is_name(name) || referenced.contains(name)) continue;
      if (modified_ms(file.path()) > now - older_than) continue;
      std::error_code error;
      const std::uintmax_t size = file.file_size(error);
      if (std::filesystem::remove(file.path(), error)) {
        swept.removed.push_back(name);
        swept.bytes += size;
      }
    }
  }
  return swept;
}

int sweep_temporaries(const std::filesystem::path& folder, Millis older_than, Millis now) {
  int removed = 0;
  std::error_code error;
  std::vector<std::filesystem::path> found;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    if (is_leftover(file.path()) && modified_ms(file.path()) <= now - older_than) {
      found.push_back(file.path());
    }
  }
  for (const auto& file : found) removed += std::filesystem::remove(file, error) ? 1 : 0;
  return removed;
}

}  // namespace affiche::store
