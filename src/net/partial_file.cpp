// SPDX-License-Identifier: Apache-2.0
#include "net/partial_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "base/files.h"

namespace affiche::net {

PartialFile::PartialFile(std::filesystem::path path) : path_(std::move(path)) {
  // No following of links: the folder is ours, and so must be what lies in it.
  file_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (file_ < 0) fail_errno("open");
  std::vector<std::uint8_t> buffer(std::size_t{1} << 20);
  while (true) {
    const ssize_t count = ::read(file_, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_errno("read");
    if (count == 0) break;
    digest_.update(std::span(buffer.data(), static_cast<std::size_t>(count)));
    size_ += static_cast<std::uint64_t>(count);
  }
  std::error_code missing;
  if (std::filesystem::exists(tag_path(), missing)) tag_ = read_text(tag_path(), 4096);
}

PartialFile::~PartialFile() {
  if (file_ >= 0) ::close(file_);
}

void PartialFile::fail_errno(const char* action) const {
  const int code = errno;
  const bool full = code == ENOSPC || code == EDQUOT;
  fail(Cause::Unavailable, path_.string(), ": cannot ", action, ": ", std::strerror(code),
       full ? "; free some space and run it again, what came so far is kept" : "");
}

void PartialFile::restart(const std::string& tag) {
  if (::ftruncate(file_, 0) != 0 || ::lseek(file_, 0, SEEK_SET) != 0) fail_errno("truncate");
  size_ = 0;
  digest_ = Digest(Digest::Kind::Sha256);
  // In this order: bytes never stand beside the tag of another file.
  tag_ = tag;
  if (tag.empty()) {
    remove_tag();
  } else {
    write_atomically(tag_path(), tag);
  }
}

void PartialFile::append(std::span<const std::uint8_t> bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t count = ::write(file_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_errno("write");
    done += static_cast<std::size_t>(count);
  }
  digest_.update(bytes);
  size_ += bytes.size();
}

std::string PartialFile::finish() {
  if (::fsync(file_) != 0) fail_errno("sync");
  return digest_.hex();
}

void PartialFile::remove() {
  remove_tag();
  std::error_code ignored;
  std::filesystem::remove(path_, ignored);
}

void PartialFile::remove_tag() {
  std::error_code ignored;
  std::filesystem::remove(tag_path(), ignored);
}

}  // namespace affiche::net
