// SPDX-License-Identifier: Apache-2.0
// What cards have in common, made once: layers that do not change, masks, scaled photographs and
// generated pictures. Bounded; the least recently used goes first. Thread-safe.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace affiche::cards {

class PreparedParts {
 public:
  explicit PreparedParts(std::size_t most_bytes = std::size_t{256} << 20);

  // Keys name the type too ("mask …"), so that one key is always of one T. Nothing when it is not
  // kept, or was thrown out.
  template <typename T>
  std::shared_ptr<const T> find(const std::string& key) {
    return std::static_pointer_cast<const T>(find_any(key));
  }
  // In place of what was there; `bytes`: what it takes in memory. Values of more than a quarter of
  // the limit are not kept.
  void keep(const std::string& key, std::shared_ptr<const void> value, std::size_t bytes);

  std::size_t bytes() const;  // taken now, at most the limit
  std::size_t hits() const;
  std::size_t misses() const;

 private:
  struct Entry {
    std::string key;
    std::shared_ptr<const void> value;
    std::size_t bytes = 0;
  };
  std::shared_ptr<const void> find_any(const std::string& key);
  void drop(std::list<Entry>::iterator entry);

  const std::size_t most_bytes_;
  mutable std::mutex mutex_;  // guards all below
  std::list<Entry> entries_;  // the latest first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
  std::size_t bytes_ = 0;
  std::size_t hits_ = 0;
  std::size_t misses_ = 0;
};

}  // namespace affiche::cards
