// SPDX-License-Identifier: Apache-2.0
// The pictures of a folder, by the endings of their names. Thread-safe.
#pragma once

#include <filesystem>
#include <vector>

namespace affiche::photos {

// .jpg, .jpeg, .png and .webp of the folder and its subfolders, in the order of their names. Links
// are not followed: a folder from outside could point anywhere. NotFound and BadInput for the
// folder.
std::vector<std::filesystem::path> picture_files(const std::filesystem::path& folder);

}  // namespace affiche::photos
