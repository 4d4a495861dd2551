// SPDX-License-Identifier: Apache-2.0
// What came over the network, so that nothing is asked for twice. Layout of the folder:
//   answers/KEY.json   what was asked and answered, with its headers and times: the evidence
//   blobs/SHA256       bodies, named by their content
//   partial/KEY        a body of which a part has come
//   locks/KEY          held by who is fetching it; the first digits of KEY only, so that there is a
//                      bound to their number: now and then one waits for another's picture
// KEY is the SHA-256 of the URL without secrets. An answer is written after its blob; what a crash
// leaves between the two goes with the next eviction. The answers used least recently (by the
// file's time) go first when the blobs outgrow the limit.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/files.h"

namespace affiche::photos {

struct Kept {
  std::string url;           // asked for, without secrets
  std::string answered_url;  // that answered at last, without its query
  int status = 0;            // 200, or 404 and 410, which are kept too
  std::string sha256;        // of the body; empty without one
  std::uint64_t size = 0;
  Millis fetched_at = 0;  // when the body came
  Millis checked_at = 0;  // when the server last said that it is the same
  std::map<std::string, std::string> headers;
};

// Safe for several threads and processes.
class WebCache {
 public:
  // `limit` in bytes of bodies; 0: none.
  WebCache(std::filesystem::path folder, std::uint64_t limit);

  static std::string key_of(const std::string& url);
  // Nothing also for an answer that is damaged.
  std::optional<Kept> find(const std::string& key) const;
  // The body, verified by its hash; nothing when it is gone or damaged.
  std::optional<Bytes> body(const Kept& kept) const;
  // Marks as just used.
  void touch(const std::string& key) const;
  // `body` is empty for an answer without one. Unavailable when the disk is full.
  void keep(const std::string& key, const Kept& kept, std::span<const std::uint8_t> body) const;
  void forget(const std::string& key) const;
  // Down to the limit.
  void evict() const;

  std::filesystem::path partial(const std::string& key) const { return folder_ / "partial" / key; }
  std::filesystem::path lock(const std::string& key) const {
    return folder_ / "locks" / key.substr(0, 3);
  }

 private:
  std::filesystem::path cache_lock() const { return folder_ / "locks" / "cache"; }
  std::filesystem::path answer(const std::string& key) const;
  std::filesystem::path blob(const std::string& sha256) const;
  std::filesystem::path folder_;
  std::uint64_t limit_;
};

}  // namespace affiche::photos
