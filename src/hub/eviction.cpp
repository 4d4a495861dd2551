// SPDX-License-Identifier: Apache-2.0
// How the cache keeps to its size: part of Cache.
#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "hub/cache.h"

namespace affiche::hub {

namespace fs = std::filesystem;

namespace {

constexpr auto kStale = std::chrono::hours(24 * 7);  // a partial file that nobody went on with
constexpr std::uint64_t kSpare = std::uint64_t{64} << 20;  // left free on the disk

using Blobs = std::map<std::string, std::uint64_t>;  // sizes by name

std::uint64_t total(const Blobs& blobs) {
  std::uint64_t bytes = 0;
  for (const auto& [name, size] : blobs) bytes += size;
  return bytes;
}

std::string in_mib(std::uint64_t bytes) {
  return concat((bytes + (1 << 20) - 1) >> 20, " MiB");
}

// Children of a folder that may not exist.
std::vector<fs::directory_entry> children(const fs::path& folder) {
  std::error_code missing;
  std::vector<fs::directory_entry> found;
  for (const auto& entry : fs::directory_iterator(folder, missing)) found.push_back(entry);
  return found;
}

}  // namespace

struct Cache::Entry {
  std::string name;
  fs::file_time_type used;
  Record record;
};

std::vector<Cache::Entry> Cache::entries() const {
  std::vector<fs::path> groups = {folder_ / "files"};
  for (const auto& model : children(folder_ / "models")) groups.push_back(model.path());
  std::vector<Entry> found;
  for (const fs::path& group : groups) {
    for (const auto& file : children(group)) {
      if (file.path().extension() != ".json") continue;
      const auto known = read_record(file.path());
      std::error_code missing;
      const auto used = fs::last_write_time(file.path(), missing);
      if (!known || missing) continue;
      found.push_back(
          {(group.lexically_relative(folder_) / file.path().stem()).string(), used, *known});
    }
  }
  std::sort(found.begin(), found.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  return found;
}

void Cache::remove(const Entry& entry) const {
  std::error_code ignored;
  // The record first: a folder without one is nobody's and goes with the next sweep.
  fs::remove(record_path(entry.name), ignored);
  fs::remove_all(entry_folder(entry.name), ignored);
}

// What no record names: folders, blobs and old partial files that a crash left. Under the cache's
// lock, so nobody is between writing a record and looking for its blobs.
void Cache::sweep(const std::vector<Entry>& known) const {
  std::set<std::string> blobs;
  std::set<fs::path> folders;
  for (const Entry& entry : known) {
    folders.insert(entry_folder(entry.name));
    for (const RecordFile& file : entry.record.files) blobs.insert(file.blob);
  }
  std::error_code ignored;
  std::vector<fs::path> groups = {folder_ / "files"};
  for (const auto& model : children(folder_ / "models")) groups.push_back(model.path());
  for (const fs::path& group : groups) {
    for (const auto& child : children(group)) {
      if (!child.is_directory(ignored) || child.path().filename() == "refs") continue;
      if (!folders.contains(child.path())) fs::remove_all(child.path(), ignored);
    }
  }
  for (const auto& blob : children(folder_ / "blobs")) {
    if (!blobs.contains(blob.path().filename().string())) fs::remove(blob.path(), ignored);
  }
  for (const auto& part : children(folder_ / "partial")) {
    const bool stale = fs::file_time_type::clock::now() - part.last_write_time(ignored) > kStale;
    const std::string name = part.path().stem().string();
    if (stale && !blobs.contains(name)) fs::remove(part.path(), ignored);
  }
}

// Removes entries until the rest, `wanted` among them, is within the limit; none when even all that
// could go would not be enough.
void Cache::make_room(const std::string& entry, const Record& wanted) const {
  std::vector<Entry> known = entries();
  const auto bytes = [&] {
    Blobs blobs;
    for (const Entry& each : known) {
      for (const RecordFile& file : each.record.files) blobs[file.blob] = file.size;
    }
    return total(blobs);
  };
  Blobs own;
  for (const RecordFile& file : wanted.files) own[file.blob] = file.size;
  if (total(own) > limit_) {
    fail(Cause::Refused, wanted.source,
         ": expected at most models.cache_limit_mib = ", limit_ >> 20, ", found ",
         in_mib(total(own)), "; raise the limit");
  }
  std::vector<std::pair<Entry, FileLock>> leaving;
  for (std::size_t i = 0; i < known.size() && bytes() > limit_;) {
    auto unused = known[i].name == entry
                      ? std::nullopt
                      : FileLock::attempt(lock(known[i].name, "use"), FileLock::Kind::Exclusive);
    if (!unused) {
      ++i;
      continue;
    }
    leaving.emplace_back(known[i], std::move(*unused));
    known.erase(known.begin() + static_cast<std::ptrdiff_t>(i));
  }
  if (bytes() > limit_) {
    fail(Cause::Unavailable, wanted.source, ": ", in_mib(total(own)),
         " do not fit under models.cache_limit_mib = ", limit_ >> 20, " while ", known.size() - 1,
         " other models are in use; raise the limit or try again later");
  }
  for (const auto& [each, unused] : leaving) remove(each);
}

void Cache::plan(const std::string& entry, const Record& wanted) {
  const FileLock guard = FileLock::wait(lock("cache", "lock"), FileLock::Kind::Exclusive);
  const auto before = record(entry);
  write_record(record_path(entry), wanted);
  try {
    if (limit_ > 0) make_room(entry, wanted);
    sweep(entries());
    std::uint64_t missing = 0;
    for (const RecordFile& file : wanted.files) {
      if (!fs::exists(blob(file.blob)) && !has(entry, file)) missing += file.size;
    }
    const std::uint64_t free = fs::space(folder_).available;
    if (missing > 0 && free < missing + kSpare) {
      fail(Cause::Unavailable, folder_.string(), ": expected ", in_mib(missing + kSpare),
           " free on the disk, found ", in_mib(free), "; free some space or set models.cache");
    }
  } catch (...) {
    // A record of what will not come would take room from others.
    if (before) {
      write_record(record_path(entry), *before);
    } else {
      std::error_code ignored;
      fs::remove(record_path(entry), ignored);
    }
    throw;
  }
}

}  // namespace affiche::hub
