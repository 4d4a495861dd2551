// SPDX-License-Identifier: Apache-2.0
#include "http/watched_files.h"

#include <string>
#include <system_error>

namespace affiche::http {
namespace {

namespace fs = std::filesystem;

// FNV-1a.
void mix(std::uint64_t& state, std::uint64_t value) {
  for (int i = 0; i < 8; ++i) {
    state = (state ^ (value >> (8 * i) & 255)) * 0x100000001b3ULL;
  }
}

// Independent of the order in which a folder lists its files.
std::uint64_t state_of(const fs::path& file) {
  std::error_code ignored;
  std::uint64_t state = 0xcbf29ce484222325ULL;
  mix(state, std::hash<std::string>()(file.string()));
  mix(state, static_cast<std::uint64_t>(fs::file_size(file, ignored)));
  const auto time = fs::last_write_time(file, ignored).time_since_epoch().count();
  mix(state, static_cast<std::uint64_t>(time));
  return state;
}

bool is_hidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

std::uint64_t state_below(const fs::path& folder) {
  constexpr int kMostFiles = 4000;
  std::error_code ignored;
  std::uint64_t sum = 1;
  int count = 0;
  auto at = fs::recursive_directory_iterator(folder, ignored);
  for (; at != fs::recursive_directory_iterator() && count < kMostFiles; at.increment(ignored)) {
    if (is_hidden(at->path())) {
      at.disable_recursion_pending();
      continue;
    }
    if (!at->is_regular_file(ignored)) continue;
    sum += state_of(at->path());
    ++count;
  }
  return sum;
}

}  // namespace

std::uint64_t state_of_files(const std::vector<fs::path>& places) {
  std::uint64_t state = 0;
  for (const fs::path& place : places) {
    std::error_code ignored;
    mix(state, fs::is_directory(place, ignored) ? state_below(place) : state_of(place));
  }
  return state;
}

}  // namespace affiche::http
