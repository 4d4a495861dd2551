// SPDX-License-Identifier: Apache-2.0
// Models that were fetched, on disk, shared by all processes of the machine. Constraints: kill -9
// at any instant leaves nothing that counts as whole and is not; two processes fetch nothing twice;
// a model in use stays; the size stays under a limit. Layout of the folder:
//
//   models/OWNER--NAME/refs/REV        the commit that a branch or tag named when last asked
//   models/OWNER--NAME/COMMIT.json     the record (record.h); its time of change is the last use
//   models/OWNER--NAME/COMMIT/…        the files, read-only hard links into blobs/
//   files/HASH.json, files/HASH/NAME   the same for the file of a URL, by the URL's SHA-256
//   blobs/sha256-… | git-…             content, named by its hash, synced before it gets the name
//   partial/BLOB.part, .part.etag      what is being fetched
//   locks/…                            one empty file a lock
//
// A file belongs to a model when its record names it and it is in the folder; it is there whole,
// as links are made of finished blobs only. Room is made in the order of last use, under the
// cache's lock; a fetch writes its record under the same lock before it looks which blobs are
// there, so that none that it counts on is removed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/file_lock.h"
#include "hub/record.h"
#include "hub/reference.h"

namespace affiche::hub {

// The model, or a part of it, is not in the cache: told apart from names that are wrong.
class NotCached : public Error {
 public:
  explicit NotCached(const std::string& message) : Error(Cause::NotFound, message) {}
};

// A model's place in the cache, kept there for as long as a copy of this lives.
struct Cached {
  std::filesystem::path path;  // what --model takes
  std::string commit;          // empty for a URL
  std::shared_ptr<const FileLock> use;
};

// Thread-safe.
class Cache {
 public:
  // `limit` in bytes, 0 for none. Nothing is created before it is needed.
  Cache(std::filesystem::path folder, std::uint64_t limit);

  // The model, marked as used now. NotCached, naming what is missing and the command that fetches
  // it. Never touches the network.
  Cached find(const Reference& reference) const;

  // For fetch.cpp. An entry is "models/OWNER--NAME/COMMIT" or "files/HASH".
  std::string entry_of(const Reference& reference, const std::string& commit) const;
  std::optional<std::string> commit_of(const Reference& reference) const;
  void remember_commit(const Reference& reference, const std::string& commit);
  std::optional<Record> record(const std::string& entry) const;
  std::filesystem::path entry_folder(const std::string& entry) const { return folder_ / entry; }
  std::filesystem::path blob(const std::string& name) const { return folder_ / "blobs" / name; }
  std::filesystem::path partial(const std::string& name) const;
  // "use": held shared by whoever uses the entry; "fetch": exclusive, by whoever fetches into it.
  std::filesystem::path lock(const std::string& name, const std::string& kind) const;
  bool has(const std::string& entry, const RecordFile& file) const;

  // Writes the record, then makes room for the bytes that it names and that are not there: entries
  // that nobody uses go, least recently used first, never `entry`. Refused when the entry alone is
  // over the limit, Unavailable when those in use leave no room or the disk has none.
  void plan(const std::string& entry, const Record& record);
  // The finished partial file becomes the blob.
  void keep(const std::string& partial_name, const std::string& blob_name);
  // Puts the blob into the entry's folder under the file's path. False when the blob is not there.
  bool link(const std::string& entry, const RecordFile& file);

 private:
  struct Entry;
  std::vector<Entry> entries() const;
  std::filesystem::path record_path(const std::string& entry) const;
  void sweep(const std::vector<Entry>& entries) const;
  void remove(const Entry& entry) const;
  void make_room(const std::string& entry, const Record& wanted) const;

  std::filesystem::path folder_;
  std::uint64_t limit_;
};

// The command that brings the reference into the cache.
std::string fetch_command(const Reference& reference);

}  // namespace affiche::hub
