// SPDX-License-Identifier: Apache-2.0
// Whether files or folders changed: by name, size and time of their files, which works on every
// file system and with editors that rename.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace affiche::http {

// A number that changes when a file is written, added or removed. Folders are read with all below
// them, at most 4,000 files each; hidden ones are left out. Never throws for what is missing or
// may not be read.
std::uint64_t state_of_files(const std::vector<std::filesystem::path>& places);

}  // namespace affiche::http
