// SPDX-License-Identifier: Apache-2.0
// Whole-file reading and crash-safe writing. All functions throw Error with the path in the text
// and may be called from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace affiche {

using Bytes = std::vector<std::uint8_t>;

// Reads a regular file of at most `limit` bytes. NotFound, BadInput (too large, not a regular
// file).
std::string read_text(const std::filesystem::path& path, std::size_t limit = std::size_t{64} << 20);
Bytes read_bytes(const std::filesystem::path& path, std::size_t limit = std::size_t{512} << 20);

// Writes to a temporary name beside `path`, fsyncs it, renames it over `path`, fsyncs the folder:
// after a crash `path` holds the old bytes or the new ones, never a part. Creates missing folders.
// Unavailable when the disk is full or not writable.
void write_atomically(const std::filesystem::path& path, std::span<const std::uint8_t> bytes);
void write_atomically(const std::filesystem::path& path, std::string_view text);

// write_atomically() in pieces, for what is too large for memory. Without commit() nothing remains.
// Not thread-safe.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  void write(std::span<const std::uint8_t> bytes);
  // Syncs and renames. Call once, last.
  void commit();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_ = -1;
};

// Prefix of the temporary names, so that a sweep can tell leftovers of a crash.
inline constexpr std::string_view kTemporaryPrefix = ".affiche-tmp-";

// A file mapped read-only for the life of the object (MAP_PRIVATE: pages are shared between
// processes and come from the page cache). Empty files map to an empty span.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  std::span<const std::uint8_t> bytes() const noexcept { return {data_, size_}; }

 private:
  const std::uint8_t* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace affiche
