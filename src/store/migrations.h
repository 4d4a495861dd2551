// SPDX-License-Identifier: Apache-2.0
// The schema's history: migrations/NNNN_name.sql, compiled into the program, applied in order, each
// in its own transaction, remembered with the SHA-256 of its text.
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"

namespace affiche::store {

class Database;

struct Migration {
  int number;
  std::string_view name;
  std::string_view sql;
};

// migrations/ as it was when the program was built, in order.
std::span<const Migration> built_in_migrations();

// Brings the database up to the last of `migrations` and returns the numbers that were applied now.
// Several processes may do so at once. Refused, with nothing changed, when the database knows a
// migration that is not in `migrations` (it is newer than this program), when the text of an
// applied one differs, or when the file holds tables but is not affiche's.
std::vector<int> apply_migrations(Database& database, std::span<const Migration> migrations,
                                  Millis now);

// The same for a file, with the built-in ones; makes the file when it is missing.
std::vector<int> migrate(const std::filesystem::path& file, Millis now);

}  // namespace affiche::store
