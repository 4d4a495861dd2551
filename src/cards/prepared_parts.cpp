// SPDX-License-Identifier: Apache-2.0
#include "cards/prepared_parts.h"

namespace affiche::cards {

PreparedParts::PreparedParts(std::size_t most_bytes) : most_bytes_(most_bytes) {}

std::shared_ptr<const void> PreparedParts::find_any(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) {
    ++misses_;
    return nullptr;
  }
  ++hits_;
  entries_.splice(entries_.begin(), entries_, found->second);
  return found->second->value;
}

void PreparedParts::keep(const std::string& key, std::shared_ptr<const void> value,
                         std::size_t bytes) {
  const std::size_t all = bytes + 2 * key.size() + sizeof(Entry);
  if (all > most_bytes_ / 4) return;
  const std::lock_guard lock(mutex_);
  if (const auto old = by_key_.find(key); old != by_key_.end()) drop(old->second);
  entries_.push_front({key, std::move(value), all});
  by_key_.emplace(key, entries_.begin());
  bytes_ += all;
  while (bytes_ > most_bytes_) drop(std::prev(entries_.end()));
}

void PreparedParts::drop(std::list<Entry>::iterator entry) {
  bytes_ -= entry->bytes;
  by_key_.erase(entry->key);
  entries_.erase(entry);
}

std::size_t PreparedParts::bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

std::size_t PreparedParts::hits() const {
  const std::lock_guard lock(mutex_);
  return hits_;
}

std::size_t PreparedParts::misses() const {
  const std::lock_guard lock(mutex_);
  return misses_;
}

}  // namespace affiche::cards
