// SPDX-License-Identifier: Apache-2.0
#include "service/names.h"

#include <algorithm>
#include <vector>

#include "base/error.h"
#include "base/suggest.h"

namespace affiche::service {
namespace {

std::vector<std::string> stems(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".toml") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace

std::filesystem::path named_file(const std::string& name, const std::filesystem::path& folder,
                                 const std::string& kind) {
  const std::vector<std::string> known = stems(folder);
  if (name.empty()) {
    if (known.size() == 1) return folder / (known[0] + ".toml");
    fail(Cause::Usage, "no ", kind, " named: expected one of those in ", folder.string(),
         suggestion("", known));
  }
  const std::filesystem::path path(name);
  const bool is_path = name.find('/') != std::string::npos || path.extension() == ".toml";
  const std::filesystem::path file = is_path ? path : folder / (name + ".toml");
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) {
    fail(Cause::NotFound, kind, " \"", name, "\": expected the file ", file.string(),
         ", found none", is_path ? "" : suggestion(name, known));
  }
  return file;
}

std::string slug(const std::string& text, std::size_t limit) {
  std::string result;
  for (const char c : text) {
    const bool upper = c >= 'A' && c <= 'Z';
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (upper || plain) {
      result.push_back(upper ? static_cast<char>(c - 'A' + 'a') : c);
    } else if (!result.empty() && result.back() != '-') {
      result.push_back('-');
    }
  }
  if (result.size() > limit) {
    const std::size_t cut = result.rfind('-', limit);
    result.resize(cut == std::string::npos ? limit : cut);
  }
  while (!result.empty() && result.back() == '-') result.pop_back();
  return result.empty() ? "card" : result;
}

}  // namespace affiche::service
