// SPDX-License-Identifier: Apache-2.0
#include "hub/cache.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "net/url.h"

namespace affiche::hub {

namespace fs = std::filesystem;

namespace {

std::string replaced(std::string text, char from, const std::string& to) {
  for (std::size_t at = text.find(from); at != std::string::npos;
       at = text.find(from, at + to.size())) {
    text.replace(at, 1, to);
  }
  return text;
}

void sync_folder(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return;
  ::fsync(file);
  ::close(file);
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) {
    fail(Cause::Unavailable, folder.string(), ": cannot create the folder: ", error.message(),
         "; set models.cache to a folder that can be written");
  }
}

}  // namespace

std::string fetch_command(const Reference& reference) {
  return "affiche model fetch " +
         (reference.of_hub() ? reference.text() : "'" + reference.text() + "'");
}

Cache::Cache(fs::path folder, std::uint64_t limit) : folder_(std::move(folder)), limit_(limit) {}

std::string Cache::entry_of(const Reference& reference, const std::string& commit) const {
  if (!reference.of_hub()) return "files/" + sha256_hex(reference.url).substr(0, 32);
  return "models/" + reference.owner + "--" + reference.name + "/" + commit;
}

fs::path Cache::record_path(const std::string& entry) const {
  return folder_ / (entry + ".json");
}

fs::path Cache::partial(const std::string& name) const {
  make_folder(folder_ / "partial");
  return folder_ / "partial" / (name + ".part");
}

fs::path Cache::lock(const std::string& name, const std::string& kind) const {
  return folder_ / "locks" / (replaced(name, '/', "--") + "." + kind);
}

std::optional<Record> Cache::record(const std::string& entry) const {
  return read_record(record_path(entry));
}

std::optional<std::string> Cache::commit_of(const Reference& reference) const {
  if (is_commit(reference.revision)) return reference.revision;
  const fs::path file = folder_ / entry_of(reference, "refs") / net::escaped(reference.revision);
  std::error_code missing;
  if (!fs::is_regular_file(file, missing)) return {};
  const std::string commit = read_text(file, 100).substr(0, 40);
  return is_commit(commit) ? std::optional(commit) : std::nullopt;
}

void Cache::remember_commit(const Reference& reference, const std::string& commit) {
  if (reference.revision == commit || commit_of(reference) == commit) return;
  write_atomically(folder_ / entry_of(reference, "refs") / net::escaped(reference.revision),
                   commit + "\n");
}

bool Cache::has(const std::string& entry, const RecordFile& file) const {
  std::error_code missing;
  return fs::file_size(entry_folder(entry) / file.path, missing) == file.size && !missing;
}

Cached Cache::find(const Reference& reference) const {
  const auto absent = [&](const std::string& found) {
    throw NotCached(concat(reference.text(), ": expected it in the cache ", folder_.string(),
                           ", found ", found, "; run `", fetch_command(reference), "`"));
  };
  const auto commit = reference.of_hub() ? commit_of(reference) : std::optional<std::string>("");
  if (!commit) absent("nothing");
  const std::string entry = entry_of(reference, *commit);
  if (!fs::exists(record_path(entry))) absent("nothing");
  // First the lock, then the look: from here on nobody removes it.
  auto use =
      std::make_shared<const FileLock>(FileLock::wait(lock(entry, "use"), FileLock::Kind::Shared));
  const auto known = record(entry);
  if (!known) absent("nothing");
  std::string inside = reference.file;
  if (inside.empty()) {
    if (!known->model) absent("a part of it");
    inside = *known->model;
    for (const RecordFile& file : known->files) {
      if (!has(entry, file)) absent("it without " + file.path);
    }
  } else if (known->find(inside) == nullptr || !has(entry, *known->find(inside))) {
    absent("the model without this file");
  }
  ::utimensat(AT_FDCWD, record_path(entry).c_str(), nullptr, 0);  // used now
  return {inside.empty() ? entry_folder(entry) : entry_folder(entry) / inside, *commit, use};
}

void Cache::keep(const std::string& partial_name, const std::string& blob_name) {
  make_folder(folder_ / "blobs");
  const fs::path from = partial(partial_name);
  const fs::path to = blob(blob_name);
  ::chmod(from.c_str(), 0444);
  if (::rename(from.c_str(), to.c_str()) != 0) {
    fail(Cause::Unavailable, to.string(), ": cannot rename: ", std::strerror(errno));
  }
  sync_folder(to.parent_path());
}

bool Cache::link(const std::string& entry, const RecordFile& file) {
  const fs::path from = blob(file.blob);
  const fs::path to = entry_folder(entry) / file.path;
  std::error_code missing;
  const std::uint64_t size = fs::file_size(from, missing);
  if (missing) return false;
  if (size != file.size) {
    // Not by this program: content is named only once it is whole.
    fail(Cause::BadInput, from.string(), ": expected ", file.size, " bytes, found ", size,
         "; delete it");
  }
  make_folder(to.parent_path());
  const fs::path temporary = entry_folder(entry) / (std::string(kTemporaryPrefix) + file.blob);
  ::unlink(temporary.c_str());
  if (::link(from.c_str(), temporary.c_str()) != 0) {
    // File systems without hard links.
    std::error_code error;
    fs::create_symlink(fs::relative(from, to.parent_path()), temporary, error);
    if (error) fail(Cause::Unavailable, to.string(), ": cannot link: ", error.message());
  }
  if (::rename(temporary.c_str(), to.c_str()) != 0) {
    fail(Cause::Unavailable, to.string(), ": cannot rename: ", std::strerror(errno));
  }
  ::unlink(temporary.c_str());  // still there when both were the same file already
  sync_folder(to.parent_path());
  return true;
}

}  // namespace affiche::hub
