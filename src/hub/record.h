// SPDX-License-Identifier: Apache-2.0
// What the cache knows about one model: the files that belong to it and the blobs that hold them.
// It lies as ENTRY.json beside the folder ENTRY/, and is written before the first byte is fetched,
// so that whoever makes room knows what is on its way.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace affiche::hub {

struct RecordFile {
  std::string path;  // inside the entry's folder
  std::string blob;  // name in blobs/
  std::uint64_t size = 0;
  bool verified = false;  // against a hash that the hub gave, or the user
};

struct Record {
  std::string source;  // "hub:OWNER/NAME", or the URL without its query
  std::string commit;  // empty for a URL
  std::vector<RecordFile> files;
  // What --model takes inside the folder ("": the folder itself), once all of it is there.
  std::optional<std::string> model;
  std::string etag;  // of a URL

  const RecordFile* find(const std::string& path) const;
  // Adds the file, or replaces the one of this path.
  void add(const RecordFile& file);
};

// Nothing when there is no such file, or when it is not a record (then it counts for nothing).
std::optional<Record> read_record(const std::filesystem::path& file);
void write_record(const std::filesystem::path& file, const Record& record);

}  // namespace affiche::hub
