// SPDX-License-Identifier: Apache-2.0
#include "cards/schema.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/suggest.h"

namespace affiche::cards {
namespace {

std::string type_name(const toml::node& node) {
  return concat(node.type());
}

std::string listed(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

}  // namespace

std::vector<std::string> keys_in_order(const toml::table& table) {
  std::vector<std::pair<std::uint64_t, std::string>> found;
  for (const auto& [key, node] : table) {
    const auto begin = key.source().begin;
    found.emplace_back((std::uint64_t{begin.line} << 32) | begin.column, std::string(key.str()));
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> names;
  for (auto& [order, name] : found) names.push_back(std::move(name));
  return names;
}

std::optional<Length> read_length(const toml::node& node) {
  if (node.is_number()) {
    const double value = node.value<double>().value_or(NAN);
    return std::isfinite(value) ? std::optional<Length>({value, false}) : std::nullopt;
  }
  const auto* text = node.as_string();
  if (text == nullptr || text->get().size() < 2 || text->get().back() != '%') return std::nullopt;
  char* end = nullptr;
  const double value = std::strtod(text->get().c_str(), &end);
  if (*end != '%' || end[1] != '\0' || end == text->get().c_str() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return Length{value, true};
}

const Key* KeyTable::find(std::string_view key) const {
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const Key& each) { return each.name == key; });
  return found != keys.end() ? &*found : nullptr;
}

Fields::Fields(const KeyTable& schema, std::vector<const toml::table*> tables, std::string what,
               std::string place)
    : schema_(schema),
      tables_(std::move(tables)),
      what_(std::move(what)),
      place_(std::move(place)) {
  std::vector<std::string> known;
  for (const Key& key : schema_.keys) known.push_back(key.name);
  for (const toml::table* table : tables_) {
    for (const std::string& name : keys_in_order(*table)) {
      const Key* key = schema_.find(name);
      const toml::node& node = *table->get(name);
      if (key == nullptr) {
        fail(Cause::BadInput, what_, ":", node.source().begin.line, ":", node.source().begin.column,
             ": ", place_.empty() ? "" : place_ + ".", name, ": unknown key",
             suggestion(name, known));
      }
    }
  }
  for (const Key& key : schema_.keys) {
    const toml::node* node = find(key.name);
    if (node != nullptr) check(key, *node);
    if (node == nullptr && key.required) {
      refuse(key.name, "expected " +
                           (key.choices.empty() ? std::string("a value") : listed(key.choices)) +
                           ", found nothing; add the key");
    }
  }
}

const toml::node* Fields::find(std::string_view key) const {
  for (const toml::table* table : tables_) {
    if (const toml::node* node = table->get(key)) return node;
  }
  return nullptr;
}

const Key& Fields::declared(std::string_view key) const {
  const Key* found = schema_.find(key);
  if (found == nullptr) fail(Cause::Internal, schema_.name, ": the schema has no key ", key);
  return *found;
}

void Fields::refuse(std::string_view key, const std::string& message) const {
  const toml::node* node = find(key);
  const toml::source_region source = node != nullptr ? node->source() : tables_.front()->source();
  fail(Cause::BadInput, what_, ":", source.begin.line, ":", source.begin.column, ": ",
       place_.empty() ? "" : place_ + ".", key, ": ", message);
}

void Fields::check_number(const Key& key, const toml::node& node) const {
  if (!node.is_number() || (key.type == KeyType::Integer && !node.is_integer())) {
    refuse(key.name, concat("expected ", key.type == KeyType::Integer ? "an integer" : "a number",
                            ", found ", type_name(node)));
  }
  const double value = node.value<double>().value_or(NAN);
  if (!(value >= key.low && value <= key.high)) {
    refuse(key.name, concat("expected ", key.low, " to ", key.high, ", found ", value));
  }
}

void Fields::check_items(const Key& key, const toml::array& array) const {
  for (const toml::node& item : array) {
    const bool good = key.type == KeyType::Texts     ? item.is_string()
                      : key.type == KeyType::Numbers ? item.is_number()
                      : key.type == KeyType::Lengths ? read_length(item).has_value()
                                                     : item.is_table();
    if (good) continue;
    refuse(key.name, concat("expected an array of ",
                            key.type == KeyType::Texts     ? "strings"
                            : key.type == KeyType::Numbers ? "numbers"
                            : key.type == KeyType::Lengths ? "numbers and percentages like \"50%\""
                                                           : "tables",
                            ", found ", type_name(item)));
  }
}

void Fields::check(const Key& key, const toml::node& node) const {
  switch (key.type) {
    case KeyType::Flag:
      if (!node.is_boolean()) refuse(key.name, "expected true or false, found " + type_name(node));
      return;
    case KeyType::Integer:
    case KeyType::Number:
      return check_number(key, node);
    case KeyType::Table:
    case KeyType::Named:
      if (!node.is_table()) refuse(key.name, "expected a table, found " + type_name(node));
      return;
    case KeyType::Texts:
    case KeyType::Numbers:
    case KeyType::Lengths:
    case KeyType::Tables: {
      if (key.type == KeyType::Lengths && key.low <= 1 && read_length(node)) return;
      if (!node.is_array()) refuse(key.name, "expected an array, found " + type_name(node));
      check_items(key, *node.as_array());
      const auto count = static_cast<double>(node.as_array()->size());
      if (key.type != KeyType::Tables && !(count >= key.low && count <= key.high)) {
        refuse(key.name,
               concat("expected ", key.low, key.high > key.low ? concat(" to ", key.high) : "",
                      " values, found ", count));
      }
      return;
    }
    default:
      if (!node.is_string()) refuse(key.name, "expected a string, found " + type_name(node));
      if (key.type == KeyType::Choice && std::find(key.choices.begin(), key.choices.end(),
                                                   node.as_string()->get()) == key.choices.end()) {
        refuse(key.name, "expected " + listed(key.choices) + ", found \"" +
                             node.as_string()->get() + "\"" +
                             suggestion(node.as_string()->get(), key.choices));
      }
  }
}

std::string Fields::text(std::string_view key) const {
  const Key& known = declared(key);
  const toml::node* node = find(key);
  return node != nullptr ? node->as_string()->get() : known.fallback;
}

double Fields::number(std::string_view key) const {
  const Key& known = declared(key);
  const toml::node* node = find(key);
  return node != nullptr ? node->value<double>().value_or(known.value) : known.value;
}

int Fields::integer(std::string_view key) const {
  return static_cast<int>(number(key));
}

bool Fields::flag(std::string_view key) const {
  const Key& known = declared(key);
  const toml::node* node = find(key);
  return node != nullptr ? node->as_boolean()->get() : known.value != 0;
}

std::vector<std::string> Fields::texts(std::string_view key) const {
  declared(key);
  std::vector<std::string> values;
  if (const toml::node* node = find(key)) {
    for (const toml::node& item : *node->as_array()) values.push_back(item.as_string()->get());
  }
  return values;
}

std::vector<double> Fields::numbers(std::string_view key) const {
  declared(key);
  std::vector<double> values;
  if (const toml::node* node = find(key)) {
    for (const toml::node& item : *node->as_array()) {
      values.push_back(item.value<double>().value_or(0));
    }
  }
  return values;
}

std::vector<Length> Fields::lengths(std::string_view key) const {
  declared(key);
  std::vector<Length> values;
  const toml::node* node = find(key);
  if (node == nullptr) return values;
  if (!node->is_array()) return {*read_length(*node)};
  for (const toml::node& item : *node->as_array()) values.push_back(*read_length(item));
  return values;
}

const toml::table* Fields::table(std::string_view key) const {
  declared(key);
  const toml::node* node = find(key);
  return node != nullptr ? node->as_table() : nullptr;
}

std::vector<const toml::table*> Fields::tables(std::string_view key) const {
  declared(key);
  std::vector<const toml::table*> found;
  if (const toml::node* node = find(key)) {
    for (const toml::node& item : *node->as_array()) found.push_back(item.as_table());
  }
  return found;
}

std::optional<Fields> Fields::child(std::string_view key) const {
  const Key& known = declared(key);
  const toml::table* found = table(key);
  if (found == nullptr) return std::nullopt;
  return Fields(*known.table, {found}, what_,
                place_.empty() ? known.name : place_ + "." + known.name);
}

std::vector<Fields> Fields::children(std::string_view key) const {
  const Key& known = declared(key);
  std::vector<Fields> result;
  for (const toml::table* each : tables(key)) {
    result.emplace_back(*known.table, std::vector<const toml::table*>{each}, what_,
                        place_.empty() ? known.name : place_ + "." + known.name);
  }
  return result;
}

int Fields::choice_index(std::string_view key) const {
  const Key& known = declared(key);
  const auto found = std::find(known.choices.begin(), known.choices.end(), text(key));
  return static_cast<int>(found - known.choices.begin());
}

}  // namespace affiche::cards
