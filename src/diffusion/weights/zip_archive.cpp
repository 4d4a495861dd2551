// SPDX-License-Identifier: Apache-2.0
#include "diffusion/weights/zip_archive.h"

#include <algorithm>
#include <string_view>

#include "base/error.h"
#include "diffusion/weights/byte_reader.h"

namespace affiche::diffusion {
namespace {

constexpr std::uint32_t kLocalHeader = 0x04034b50;
constexpr std::uint32_t kCentralHeader = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kEnd64Locator = 0x07064b50;
constexpr std::uint64_t kEndSize = 22;
constexpr std::uint64_t kLocatorSize = 20;
constexpr std::uint64_t kLongestComment = 0xffff;
constexpr std::uint32_t kIn64Record = 0xffffffff;
constexpr std::uint16_t k64Extra = 1;
// A model has some thousands; more is a file made to hurt.
constexpr std::uint64_t kMostEntries = 1'000'000;

struct Directory {
  std::uint64_t offset = 0;
  std::uint64_t entries = 0;
};

struct Entry {
  std::string name;
  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint64_t packed = 0;
  std::uint64_t size = 0;
  std::uint64_t header = 0;  // offset of the local header
};

class ZipReader {
 public:
  ZipReader(std::span<const std::uint8_t> bytes, const std::string& what)
      : bytes_(bytes), what_(what) {}

  std::map<std::string, std::span<const std::uint8_t>> read() const {
    const Directory directory = find_directory();
    if (directory.entries > kMostEntries) {
      fail(Cause::BadInput, what_, ": expected at most ", kMostEntries, " entries, found ",
           directory.entries);
    }
    ByteReader reader(bytes_, what_, directory.offset);
    std::map<std::string, std::span<const std::uint8_t>> result;
    for (std::uint64_t i = 0; i < directory.entries; ++i) {
      const Entry entry = read_entry(reader);
      if (!result.emplace(entry.name, data_of(entry)).second) {
        fail(Cause::BadInput, what_, ": the entry \"", entry.name, "\" occurs twice");
      }
    }
    return result;
  }

 private:
  Directory find_directory() const {
    const std::uint64_t size = bytes_.size();
    if (size < kEndSize) missing_directory();
    const std::uint64_t lowest = size - kEndSize - std::min(size - kEndSize, kLongestComment);
    for (std::uint64_t at = size - kEndSize;; --at) {
      ByteReader reader(bytes_, what_, at);
      if (reader.number<std::uint32_t>() == kEnd) return read_end(at);
      if (at == lowest) missing_directory();
    }
  }

  [[noreturn]] void missing_directory() const {
    fail(Cause::BadInput, what_,
         ": expected a ZIP archive with its directory at the end, found none; the file is cut "
         "short");
  }

  Directory read_end(std::uint64_t at) const {
    ByteReader reader(bytes_, what_, at + 4);
    reader.take(6);  // disks
    Directory directory;
    directory.entries = reader.number<std::uint16_t>();
    reader.take(4);  // size of the directory
    directory.offset = reader.number<std::uint32_t>();
    if (at < kLocatorSize) return directory;
    ByteReader locator(bytes_, what_, at - kLocatorSize);
    if (locator.number<std::uint32_t>() != kEnd64Locator) return directory;
    locator.take(4);  // disk
    ByteReader end64(bytes_, what_, locator.number<std::uint64_t>());
    if (end64.number<std::uint32_t>() != kEnd64) {
      fail(Cause::BadInput, what_, ": the 64-bit directory is not where the archive says");
    }
    end64.take(28);  // size, versions, disks, entries on this disk
    directory.entries = end64.number<std::uint64_t>();
    end64.take(8);  // size of the directory
    directory.offset = end64.number<std::uint64_t>();
    return directory;
  }

  Entry read_entry(ByteReader& reader) const {
    if (reader.number<std::uint32_t>() != kCentralHeader) {
      fail(Cause::BadInput, what_, ": the ZIP directory is damaged");
    }
    Entry entry;
    reader.take(4);  // versions
    entry.flags = reader.number<std::uint16_t>();
    entry.method = reader.number<std::uint16_t>();
    reader.take(8);  // time, checksum
    entry.packed = reader.number<std::uint32_t>();
    entry.size = reader.number<std::uint32_t>();
    const auto name = reader.number<std::uint16_t>();
    const auto extra = reader.number<std::uint16_t>();
    const auto comment = reader.number<std::uint16_t>();
    reader.take(8);  // disk, attributes
    entry.header = reader.number<std::uint32_t>();
    entry.name = reader.text(name);
    read_extra(reader.take(extra), entry);
    reader.take(comment);
    return entry;
  }

  // The 64-bit record holds, in this order, only the fields that did not fit.
  void read_extra(std::span<const std::uint8_t> bytes, Entry& entry) const {
    ByteReader reader(bytes, what_);
    while (reader.remaining() >= 4) {
      const auto id = reader.number<std::uint16_t>();
      ByteReader field(reader.take(reader.number<std::uint16_t>()), what_);
      if (id != k64Extra) continue;
      for (std::uint64_t* value : {&entry.size, &entry.packed, &entry.header}) {
        if (*value == kIn64Record) *value = field.number<std::uint64_t>();
      }
    }
  }

  std::span<const std::uint8_t> data_of(const Entry& entry) const {
    constexpr std::uint16_t kEncrypted = 1;
    if (entry.method != 0 || entry.packed != entry.size || (entry.flags & kEncrypted) != 0) {
      fail(Cause::BadInput, what_, ": the entry \"", entry.name,
           "\": expected stored bytes, found compressed or encrypted ones; torch.save() writes "
           "none, so the file was repacked");
    }
    ByteReader reader(bytes_, concat(what_, ": entry \"", entry.name, "\""), entry.header);
    if (reader.number<std::uint32_t>() != kLocalHeader) {
      fail(Cause::BadInput, what_, ": the entry \"", entry.name,
           "\" is not where the ZIP directory says");
    }
    reader.take(22);  // versions, method, time, checksum, sizes: the directory's count
    const auto name = reader.number<std::uint16_t>();
    const auto extra = reader.number<std::uint16_t>();
    reader.take(std::uint64_t{name} + extra);
    return reader.take(entry.size);
  }

  std::span<const std::uint8_t> bytes_;
  const std::string& what_;
};

}  // namespace

std::map<std::string, std::span<const std::uint8_t>> read_zip(std::span<const std::uint8_t> bytes,
                                                              const std::string& what) {
  return ZipReader(bytes, what).read();
}

bool looks_like_zip(std::span<const std::uint8_t> bytes) {
  return bytes.size() >= 4 && bytes[0] == 'P' && bytes[1] == 'K' && bytes[2] == 3 && bytes[3] == 4;
}

}  // namespace affiche::diffusion
