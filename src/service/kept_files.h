// SPDX-License-Identifier: Apache-2.0
// Templates and brands by path, parsed once and read again when the file changes.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace affiche::service {

// Thread-safe. Values are shared, so a card that is being set keeps its template while a newer one
// is loaded.
template <typename Value>
class KeptFiles {
 public:
  explicit KeptFiles(std::function<Value(const std::filesystem::path&)> load)
      : load_(std::move(load)) {}

  std::shared_ptr<const Value> get(const std::filesystem::path& path) {
    const auto changed = std::filesystem::last_write_time(path);
    {
      const std::lock_guard lock(mutex_);
      const auto found = kept_.find(path.string());
      if (found != kept_.end() && found->second.changed == changed) return found->second.value;
    }
    auto value = std::make_shared<const Value>(load_(path));
    const std::lock_guard lock(mutex_);
    kept_[path.string()] = {changed, value};
    return value;
  }

 private:
  struct Kept {
    std::filesystem::file_time_type changed;
    std::shared_ptr<const Value> value;
  };
  std::function<Value(const std::filesystem::path&)> load_;
  std::mutex mutex_;
  std::map<std::string, Kept> kept_;
};

}  // namespace affiche::service
