// SPDX-License-Identifier: Apache-2.0
// Strict reading of TOML tables: every key must be asked for, or finish() throws and names the
// nearest known key. Errors carry file, line and column. Not thread-safe; one reader per table.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

namespace affiche {

// Parses a file of at most 4 MiB. BadInput with file:line:column.
toml::table parse_toml_file(const std::filesystem::path& path);
toml::table parse_toml(std::string_view text, const std::string& what);

class TomlReader {
 public:
  // `what` is the file name used in errors; `path` the dotted place of the table
  // ("fonts.headline").
  TomlReader(const toml::table& table, std::string what, std::string path = "");

  bool has(std::string_view key) const { return table_.contains(key); }
  // Required values: BadInput when missing or of another type.
  std::string text(std::string_view key);
  double number(std::string_view key);
  std::int64_t integer(std::string_view key);
  // Optional values.
  std::string text(std::string_view key, std::string fallback);
  double number(std::string_view key, double fallback);
  std::int64_t integer(std::string_view key, std::int64_t fallback);
  bool flag(std::string_view key, bool fallback);
  std::vector<std::string> texts(std::string_view key);  // empty when missing
  std::vector<double> numbers(std::string_view key);     // empty when missing
  // Sub-tables: nullptr / empty when missing.
  const toml::table* table(std::string_view key);
  std::vector<const toml::table*> tables(std::string_view key);
  // A reader of a sub-table with the place filled in.
  TomlReader child(std::string_view key, const toml::table& table) const;

  // Throws for keys that nobody asked for.
  void finish() const;
  // Throws BadInput "file:line:col: place.key: message".
  [[noreturn]] void refuse(std::string_view key, const std::string& message) const;
  const std::string& what() const { return what_; }
  // Every key of the table, in file order; does not count as asking for them.
  std::vector<std::string> keys() const;

 private:
  const toml::node* find(std::string_view key);
  const toml::node& need(std::string_view key, const char* type);
  const toml::table& table_;
  std::string what_;
  std::string path_;
  std::vector<std::string> asked_;
};

}  // namespace affiche
