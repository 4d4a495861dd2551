// SPDX-License-Identifier: Apache-2.0
// TOML as JSON and back, for files that hold the same keys in either notation. Thread-safe.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/toml.h"

namespace affiche {

// Tables become objects in the order of the file. BadInput, with file:line:column, for dates and
// times and nesting deeper than 64; inf and nan become the texts "Infinity", "-Infinity", "NaN" as
// parse_json() reads them.
nlohmann::ordered_json toml_to_json(const toml::table& table, const std::string& what);

// An object as TOML text: values first, then [tables] and [[lists of tables]]. Members that are
// null are left out, TOML has none; BadInput for null in lists and integers beyond 64 bits.
std::string json_to_toml(const nlohmann::ordered_json& object);

// "file.toml:3:1" of a key of the table, the table's own place when there is no such key.
std::string place_of(const toml::table& table, const std::string& key, const std::string& what);

}  // namespace affiche
