// SPDX-License-Identifier: Apache-2.0
#include "photos/web_cache.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <vector>

#include "base/error.h"
#include "base/file_lock.h"
#include "base/json.h"
#include "base/sha256.h"

namespace affiche::photos {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kMostAnswer = 256 << 10;
// A part that nobody went on with, and a dead link that nobody asked for again.
constexpr auto kStale = std::chrono::hours(24 * 7);

std::vector<fs::directory_entry> children(const fs::path& folder) {
  std::error_code missing;
  std::vector<fs::directory_entry> found;
  for (const auto& entry : fs::directory_iterator(folder, missing)) found.push_back(entry);
  return found;
}

struct Entry {
  fs::path file;
  fs::file_time_type used;
  std::string sha256;
  std::uint64_t size = 0;
};

Kept kept_from(const Json& json) {
  Kept kept;
  kept.url = json.at("url").get<std::string>();
  kept.answered_url = json.at("answered_url").get<std::string>();
  kept.status = json.at("status").get<int>();
  kept.sha256 = json.at("sha256").get<std::string>();
  kept.size = json.at("size").get<std::uint64_t>();
  kept.fetched_at = json.at("fetched_at").get<Millis>();
  kept.checked_at = json.at("checked_at").get<Millis>();
  kept.headers = json.at("headers").get<std::map<std::string, std::string>>();
  return kept;
}

std::optional<Kept> read_kept(const fs::path& file) {
  try {
    return kept_from(parse_json(read_text(file, kMostAnswer), file.string()));
  } catch (const std::exception&) {
    return {};
  }
}

}  // namespace

WebCache::WebCache(fs::path folder, std::uint64_t limit)
    : folder_(std::move(folder)), limit_(limit) {}

std::string WebCache::key_of(const std::string& url) {
  return sha256_hex(std::string_view(url));
}

fs::path WebCache::answer(const std::string& key) const {
  return folder_ / "answers" / (key + ".json");
}

fs::path WebCache::blob(const std::string& sha256) const {
  return folder_ / "blobs" / sha256.substr(0, 2) / sha256;
}

std::optional<Kept> WebCache::find(const std::string& key) const {
  return read_kept(answer(key));
}

std::optional<Bytes> WebCache::body(const Kept& kept) const {
  if (kept.sha256.empty()) return Bytes();
  try {
    Bytes bytes = read_bytes(blob(kept.sha256));
    if (sha256_hex(bytes) == kept.sha256) return bytes;
  } catch (const Error&) {
  }
  return {};
}

void WebCache::touch(const std::string& key) const {
  std::error_code ignored;
  fs::last_write_time(answer(key), fs::file_time_type::clock::now(), ignored);
}

void WebCache::keep(const std::string& key, const Kept& kept,
                    std::span<const std::uint8_t> body) const {
  const FileLock guard = FileLock::wait(cache_lock(), FileLock::Kind::Shared);
  if (!kept.sha256.empty() && !body.empty()) write_atomically(blob(kept.sha256), body);
  write_atomically(answer(key), Json{{"url", kept.url},
                                     {"answered_url", kept.answered_url},
                                     {"status", kept.status},
                                     {"sha256", kept.sha256},
                                     {"size", kept.size},
                                     {"fetched_at", kept.fetched_at},
                                     {"checked_at", kept.checked_at},
                                     {"headers", kept.headers}}
                                    .dump(1, ' ', false, Json::error_handler_t::replace));
}

void WebCache::forget(const std::string& key) const {
  std::error_code ignored;
  fs::remove(answer(key), ignored);
}

void WebCache::evict() const {
  const FileLock guard = FileLock::wait(cache_lock(), FileLock::Kind::Exclusive);
  std::error_code ignored;
  std::vector<Entry> entries;
  std::map<std::string, std::uint64_t> sizes;
  for (const auto& file : children(folder_ / "answers")) {
    const auto kept = read_kept(file.path());
    const auto age = fs::file_time_type::clock::now() - file.last_write_time(ignored);
    if (!kept || (kept->sha256.empty() && age > kStale)) {
      fs::remove(file.path(), ignored);
      continue;
    }
    entries.push_back({file.path(), file.last_write_time(ignored), kept->sha256, kept->size});
    if (!kept->sha256.empty()) sizes[kept->sha256] = kept->size;
  }
  std::uint64_t total = 0;
  for (const auto& [name, size] : sizes) total += size;
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.used < b.used; });
  std::map<std::string, int> uses;
  for (const Entry& entry : entries) ++uses[entry.sha256];
  for (const Entry& entry : entries) {
    if (limit_ == 0 || total <= limit_) break;
    if (entry.sha256.empty()) continue;
    fs::remove(entry.file, ignored);
    if (--uses[entry.sha256] > 0) continue;
    total -= entry.size;
    sizes.erase(entry.sha256);
  }
  for (const auto& shelf : children(folder_ / "blobs")) {
    for (const auto& file : children(shelf.path())) {
      if (!sizes.contains(file.path().filename().string())) fs::remove(file.path(), ignored);
    }
  }
  for (const auto& part : children(folder_ / "partial")) {
    if (fs::file_time_type::clock::now() - part.last_write_time(ignored) > kStale) {
      fs::remove(part.path(), ignored);
    }
  }
}

}  // namespace affiche::photos
