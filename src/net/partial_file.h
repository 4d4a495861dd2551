// SPDX-License-Identifier: Apache-2.0
// The bytes of a download that are there already, with their running hash. Used by download.cpp.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

#include "base/digest.h"

namespace affiche::net {

// Not thread-safe; one process at a time, by the caller's lock.
class PartialFile {
 public:
  // Opens or creates it and hashes what it holds.
  explicit PartialFile(std::filesystem::path path);
  ~PartialFile();
  PartialFile(const PartialFile&) = delete;
  PartialFile& operator=(const PartialFile&) = delete;

  std::uint64_t size() const { return size_; }
  // The entity tag of the answer that it began with; empty when unknown.
  const std::string& tag() const { return tag_; }
  // Forgets all bytes; what follows belongs to `tag`, which is on disk before the first byte.
  void restart(const std::string& tag);
  // Unavailable when the disk is full.
  void append(std::span<const std::uint8_t> bytes);
  // Syncs the file to disk and returns its SHA-256. Nothing is appended afterwards.
  std::string finish();
  // Removes the file, or only the note of its tag.
  void remove();
  void remove_tag();

 private:
  std::filesystem::path tag_path() const { return path_.string() + ".etag"; }
  [[noreturn]] void fail_errno(const char* action) const;
  std::filesystem::path path_;
  int file_ = -1;
  std::uint64_t size_ = 0;
  std::string tag_;
  Digest digest_{Digest::Kind::Sha256};
};

}  // namespace affiche::net
