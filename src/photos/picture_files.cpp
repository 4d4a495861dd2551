// SPDX-License-Identifier: Apache-2.0
#include "photos/picture_files.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace affiche::photos {
namespace {

constexpr int kMaxFolderDepth = 16;

bool is_picture(const std::filesystem::path& file) {
  std::string ending = file.extension().string();
  for (char& c : ending) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  static const std::set<std::string> kEndings = {".jpg", ".jpeg", ".png", ".webp"};
  return kEndings.contains(ending);
}

}  // namespace

std::vector<std::filesystem::path> picture_files(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder)) {
    fail(Cause::NotFound, folder.string(), ": no such folder");
  }
  if (!std::filesystem::is_directory(folder)) {
    fail(Cause::BadInput, folder.string(), ": expected a folder, found something else");
  }
  std::vector<std::filesystem::path> found;
  std::filesystem::recursive_directory_iterator at(folder), end;
  for (; at != end; ++at) {
    if (at->is_directory() && at.depth() >= kMaxFolderDepth) at.disable_recursion_pending();
    if (!at->is_symlink() && at->is_regular_file() && is_picture(at->path())) {
      found.push_back(at->path());
    }
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace affiche::photos
