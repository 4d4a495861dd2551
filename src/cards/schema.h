// SPDX-License-Identifier: Apache-2.0
// The one description of the template format. Reading checks every table against it, `affiche
// template schema` writes it as JSON Schema, and a test compares docs/templates.md with it.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <toml++/toml.h>

namespace affiche::cards {

enum class KeyType {
  Text,
  Flag,
  Integer,
  Number,
  Choice,
  Colour,     // "#RRGGBB", "#RRGGBBAA", "brand.NAME", "var.NAME", the last two with "/0.6"
  Condition,  // as condition.h
  File,       // a path relative to the template
  Texts,
  Numbers,
  Lengths,  // numbers (pixels) and texts such as "50%"; `low` to `high` is how many
  Table,
  Tables,
  Named  // a table of tables with names of the author's choice
};

struct KeyTable;

struct Key {
  std::string name;
  KeyType type = KeyType::Text;
  std::string meaning;
  bool required = false;
  std::string fallback;  // of texts, choices and colours
  double value = 0;      // the fallback of numbers and flags
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices;
  const KeyTable* table = nullptr;  // of Table, Tables and Named; nullptr: read by its own code
};

struct KeyTable {
  std::string name;
  std::vector<Key> keys;
  const Key* find(std::string_view key) const;
};

struct Length {
  double value = 0;  // pixels, or percent
  bool percent = false;
  double of(double whole) const { return percent ? whole * value / 100 : value; }
};

// The values of one table, checked against its KeyTable: types, ranges, choices, required and
// unknown keys. Several tables may lie over one another (a size's changes, the layer, its styles);
// the first that has a key gives its value. The tables must outlive it. Every function throws
// BadInput "file:line:column: place.key: …"; asking for a key that the KeyTable lacks is Internal.
class Fields {
 public:
  Fields(const KeyTable& schema, std::vector<const toml::table*> tables, std::string what,
         std::string place);

  bool has(std::string_view key) const { return find(key) != nullptr; }
  std::string text(std::string_view key) const;  // also Choice, Colour, Condition, File
  double number(std::string_view key) const;
  int integer(std::string_view key) const;
  bool flag(std::string_view key) const;
  std::vector<std::string> texts(std::string_view key) const;
  std::vector<double> numbers(std::string_view key) const;
  std::vector<Length> lengths(std::string_view key) const;
  std::optional<Fields> child(std::string_view key) const;
  std::vector<Fields> children(std::string_view key) const;
  // The index of the chosen word, for enumerations in the schema's order.
  template <typename Enum>
  Enum choice(std::string_view key) const {
    return static_cast<Enum>(choice_index(key));
  }

  const toml::table* table(std::string_view key) const;
  std::vector<const toml::table*> tables(std::string_view key) const;
  [[noreturn]] void refuse(std::string_view key, const std::string& message) const;
  const std::string& what() const { return what_; }
  const std::string& place() const { return place_; }

 private:
  const toml::node* find(std::string_view key) const;
  const Key& declared(std::string_view key) const;
  int choice_index(std::string_view key) const;
  void check(const Key& key, const toml::node& node) const;
  void check_items(const Key& key, const toml::array& array) const;
  void check_number(const Key& key, const toml::node& node) const;

  const KeyTable& schema_;
  std::vector<const toml::table*> tables_;
  std::string what_;
  std::string place_;
};

// The names of a table in the order of the file.
std::vector<std::string> keys_in_order(const toml::table& table);

// "50%" or a number.
std::optional<Length> read_length(const toml::node& node);

// The tables of the format.
const KeyTable& template_keys();
const KeyTable& canvas_keys();
const KeyTable& size_keys();
const KeyTable& variable_keys();
const KeyTable& stack_keys();
const KeyTable& group_keys();
const std::vector<std::string>& layer_kinds();
// Those of every layer and those of the kind; Internal for an unknown kind.
const KeyTable& layer_keys(const std::string& kind);
// Every key that some layer has, none required: for styles and for the changes of a size.
const KeyTable& any_layer_keys();

// The format as JSON Schema (draft 2020-12), for editors that check TOML.
std::string template_json_schema();

}  // namespace affiche::cards
