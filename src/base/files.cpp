// SPDX-License-Identifier: Apache-2.0
#include "base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/random.h"

namespace affiche {
namespace {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

[[noreturn]] void fail_errno(const std::filesystem::path& path, const char* action) {
  const int code = errno;
  const Cause cause = code == ENOENT || code == ENOTDIR ? Cause::NotFound
                      : code == ENOSPC || code == EDQUOT || code == EIO || code == EMFILE
                          ? Cause::Unavailable
                          : Cause::BadInput;
  fail(cause, path.string(), ": cannot ", action, ": ", std::strerror(code));
}

// Opens a regular file; a pipe or a device would block or never end.
int open_regular(const std::filesystem::path& path, std::size_t& size) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) fail_errno(path, "open");
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    fail(Cause::BadInput, path.string(), ": expected a regular file, found something else");
  }
  size = static_cast<std::size_t>(info.st_size);
  return fd;
}

template <typename Container>
Container read_all(const std::filesystem::path& path, std::size_t limit) {
  std::size_t size = 0;
  const Descriptor file(open_regular(path, size));
  if (size > limit) {
    fail(Cause::BadInput, path.string(), ": expected at most ", limit, " bytes, found ", size);
  }
  Container content;
  content.resize(size);
  std::size_t done = 0;
  while (done < size) {
    const ssize_t count = ::read(file.get(), content.data() + done, size - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_errno(path, "read");
    if (count == 0) break;
    done += static_cast<std::size_t>(count);
  }
  content.resize(done);
  return content;
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) fail_errno(folder, "sync folder");
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

}  // namespace

std::string read_text(const std::filesystem::path& path, std::size_t limit) {
  return read_all<std::string>(path, limit);
}

Bytes read_bytes(const std::filesystem::path& path, std::size_t limit) {
  return read_all<Bytes>(path, limit);
}

AtomicFile::AtomicFile(const std::filesystem::path& path) : path_(path) {
  const std::filesystem::path folder = folder_of(path);
  std::error_code ignored;
  std::filesystem::create_directories(folder, ignored);
  temporary_ = folder / (std::string(kTemporaryPrefix) + random_hex(8));
  fd_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
  if (fd_ < 0) fail_errno(path, "create");
}

AtomicFile::~AtomicFile() {
  if (fd_ < 0) return;
  ::close(fd_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::write(std::span<const std::uint8_t> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(fd_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_errno(path_, "write");
    done += static_cast<std::size_t>(count);
  }
}

void AtomicFile::commit() {
  if (::fsync(fd_) != 0) fail_errno(path_, "sync");
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) fail_errno(path_, "rename to");
  ::close(fd_);
  fd_ = -1;
  sync_folder(folder_of(path_));
}

void write_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes) {
  AtomicFile file(path);
  file.write(bytes);
  file.commit();
}

void write_atomically(const std::filesystem::path& path, std::string_view text) {
  write_atomically(path,
                   std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

MappedFile::MappedFile(const std::filesystem::path& path) {
  const Descriptor file(open_regular(path, size_));
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) fail_errno(path, "map");
  data_ = static_cast<const std::uint8_t*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::uint8_t*>(data_), size_);
}

}  // namespace affiche
