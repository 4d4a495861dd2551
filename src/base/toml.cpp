// SPDX-License-Identifier: Apache-2.0
#include "base/toml.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/suggest.h"

namespace affiche {
namespace {

std::string place(const std::string& what, const toml::source_region& source) {
  return concat(what, ":", source.begin.line, ":", source.begin.column);
}

std::string type_name(const toml::node& node) {
  return concat(node.type());
}

}  // namespace

toml::table parse_toml(std::string_view text, const std::string& what) {
  try {
    return toml::parse(text, what);
  } catch (const toml::parse_error& error) {
    fail(Cause::BadInput, place(what, error.source()), ": not valid TOML: ", error.description());
  }
}

toml::table parse_toml_file(const std::filesystem::path& path) {
  return parse_toml(read_text(path, std::size_t{4} << 20), path.string());
}

TomlReader::TomlReader(const toml::table& table, std::string what, std::string path)
    : table_(table), what_(std::move(what)), path_(std::move(path)) {}

const toml::node* TomlReader::find(std::string_view key) {
  if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) asked_.emplace_back(key);
  return table_.get(key);
}

const toml::node& TomlReader::need(std::string_view key, const char* type) {
  const toml::node* node = find(key);
  if (node == nullptr) {
    fail(Cause::BadInput, place(what_, table_.source()), ": ", path_.empty() ? "" : path_ + ".",
         key, ": expected ", type, ", found nothing; add the key");
  }
  return *node;
}

void TomlReader::refuse(std::string_view key, const std::string& message) const {
  const toml::node* node = table_.get(key);
  fail(Cause::BadInput, place(what_, node != nullptr ? node->source() : table_.source()), ": ",
       path_.empty() ? "" : path_ + ".", key, ": ", message);
}

std::string TomlReader::text(std::string_view key) {
  const toml::node& node = need(key, "a string");
  if (const auto* value = node.as_string()) return value->get();
  refuse(key, "expected a string, found " + type_name(node));
}

double TomlReader::number(std::string_view key) {
  const toml::node& node = need(key, "a number");
  if (const auto* value = node.as_floating_point()) return value->get();
  if (const auto* value = node.as_integer()) return static_cast<double>(value->get());
  refuse(key, "expected a number, found " + type_name(node));
}

std::int64_t TomlReader::integer(std::string_view key) {
  const toml::node& node = need(key, "an integer");
  if (const auto* value = node.as_integer()) return value->get();
  refuse(key, "expected an integer, found " + type_name(node));
}

std::string TomlReader::text(std::string_view key, std::string fallback) {
  return find(key) != nullptr ? text(key) : std::move(fallback);
}

double TomlReader::number(std::string_view key, double fallback) {
  return find(key) != nullptr ? number(key) : fallback;
}

std::int64_t TomlReader::integer(std::string_view key, std::int64_t fallback) {
  return find(key) != nullptr ? integer(key) : fallback;
}

bool TomlReader::flag(std::string_view key, bool fallback) {
  const toml::node* node = find(key);
  if (node == nullptr) return fallback;
  if (const auto* value = node->as_boolean()) return value->get();
  refuse(key, "expected true or false, found " + type_name(*node));
}

std::vector<std::string> TomlReader::texts(std::string_view key) {
  std::vector<std::string> values;
  const toml::node* node = find(key);
  if (node == nullptr) return values;
  const toml::array* array = node->as_array();
  if (array == nullptr) refuse(key, "expected an array of strings, found " + type_name(*node));
  for (const toml::node& item : *array) {
    const auto* value = item.as_string();
    if (value == nullptr) refuse(key, "expected strings only, found " + type_name(item));
    values.push_back(value->get());
  }
  return values;
}

std::vector<double> TomlReader::numbers(std::string_view key) {
  std::vector<double> values;
  const toml::node* node = find(key);
  if (node == nullptr) return values;
  const toml::array* array = node->as_array();
  if (array == nullptr) refuse(key, "expected an array of numbers, found " + type_name(*node));
  for (const toml::node& item : *array) {
    if (!item.is_number()) refuse(key, "expected numbers only, found " + type_name(item));
    values.push_back(item.value<double>().value_or(0));
  }
  return values;
}

const toml::table* TomlReader::table(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr) return nullptr;
  if (const toml::table* value = node->as_table()) return value;
  refuse(key, "expected a table, found " + type_name(*node));
}

std::vector<const toml::table*> TomlReader::tables(std::string_view key) {
  std::vector<const toml::table*> values;
  const toml::node* node = find(key);
  if (node == nullptr) return values;
  const toml::array* array = node->as_array();
  if (array == nullptr) refuse(key, "expected an array of tables, found " + type_name(*node));
  for (const toml::node& item : *array) {
    if (!item.is_table()) refuse(key, "expected tables only, found " + type_name(item));
    values.push_back(item.as_table());
  }
  return values;
}

TomlReader TomlReader::child(std::string_view key, const toml::table& table) const {
  return TomlReader(table, what_, path_.empty() ? std::string(key) : concat(path_, ".", key));
}

std::vector<std::string> TomlReader::keys() const {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (const auto& [key, node] : table_) {
    const auto begin = node.source().begin;
    found.emplace_back((std::uint64_t{begin.line} << 32) | begin.column, std::string(key.str()));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (auto& [order, name] : found) names.push_back(std::move(name));
  return names;
}

void TomlReader::finish() const {
  for (const std::string& key : keys()) {
    if (std::find(asked_.begin(), asked_.end(), key) == asked_.end()) {
      refuse(key, "unknown key" + suggestion(key, asked_));
    }
  }
}

}  // namespace affiche
