// SPDX-License-Identifier: Apache-2.0
// A folder of bytes named by their SHA-256: FOLDER/aa/aabb…. Thread-safe, and safe between
// processes: a file is there whole or not at all, and a sweep cannot take one that was just put.
#pragma once

#include <cstdint>
#include <filesystem>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/files.h"

namespace affiche::store {

class Artifacts {
 public:
  explicit Artifacts(std::filesystem::path folder);

  // Returns the SHA-256 of the bytes. Bytes that are there already are not written again, but count
  // as new for sweep(). Durable when it returns.
  std::string put(std::span<const std::uint8_t> bytes) const;
  bool has(const std::string& sha256) const;
  // NotFound when missing. Bytes that differ from their name are deleted and reported as
  // Unavailable: the next attempt makes them again.
  Bytes get(const std::string& sha256) const;
  // Where the bytes lie, also when they are missing. BadInput unless 64 lower-case hex digits.
  std::filesystem::path path(const std::string& sha256) const;

  struct Swept {
    std::vector<std::string> removed;  // names of unreferenced artifacts
    int leftovers = 0;                 // temporary files of crashed writers
    std::uint64_t bytes = 0;
  };
  // Removes temporary files and artifacts outside `referenced` that were last put more than
  // `older_than` before `now` (machine time). `older_than` must exceed the longest stage, whose
  // artifacts are not referenced yet.
  Swept sweep(const std::set<std::string>& referenced, Millis older_than, Millis now) const;

  const std::filesystem::path& folder() const { return folder_; }

 private:
  std::filesystem::path folder_;
};

// Removes crashed writers' temporary files directly inside `folder`, older than `older_than`.
int sweep_temporaries(const std::filesystem::path& folder, Millis older_than, Millis now);

}  // namespace affiche::store
