// SPDX-License-Identifier: Apache-2.0
#include "base/toml_json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <limits>

#include "base/error.h"
#include "base/json.h"

namespace affiche {
namespace {

constexpr int kMaxDepth = 64;

std::string place(const toml::node& node, const std::string& what) {
  const auto& begin = node.source().begin;
  return concat(what, ":", begin.line, ":", begin.column);
}

Json converted(const toml::node& node, const std::string& what, int depth);

Json table_json(const toml::table& table, const std::string& what, int depth) {
  Json object = Json::object();
  for (const std::string& key : TomlReader(table, what).keys()) {
    object[key] = converted(*table.get(key), what, depth + 1);
  }
  return object;
}

Json number_json(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return value;
}

Json converted(const toml::node& node, const std::string& what, int depth) {
  if (depth > kMaxDepth) {
    fail(Cause::BadInput, place(node, what), ": expected nesting of at most ", kMaxDepth,
         " levels");
  }
  if (const auto* table = node.as_table()) return table_json(*table, what, depth);
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* whole = node.as_integer()) return whole->get();
  if (const auto* number = node.as_floating_point()) return number_json(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get();
  if (const auto* array = node.as_array()) {
    Json list = Json::array();
    for (const toml::node& item : *array) list.push_back(converted(item, what, depth + 1));
    return list;
  }
  fail(Cause::BadInput, place(node, what),
       ": expected a text, number, true or false, list or table, found ", node.type());
}

bool is_bare(const std::string& key) {
  return !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  });
}

// TOML 1.0 basic strings: JSON's escapes and DEL.
std::string quoted(const std::string& text) {
  std::string json = Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
  std::string out;
  for (const char c : json) {
    if (c == '\x7f') {
      out += "\\u007f";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string key_text(const std::string& key) {
  return is_bare(key) ? key : quoted(key);
}

// Always told apart from an integer.
std::string number_text(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  char digits[40];
  const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
  std::string text(digits, end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string value_text(const Json& value, const std::string& key) {
  if (value.is_string()) return quoted(value.get<std::string>());
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  if (value.is_number_float()) return number_text(value.get<double>());
  if (value.is_number_integer()) {
    constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > kLargest) {
      fail(Cause::BadInput, "\"", key, "\": expected an integer of at most 63 bits, found ",
           value.dump());
    }
    return value.dump();
  }
  std::string text;
  if (value.is_array()) {
    for (const Json& item : value) text += (text.empty() ? "" : ", ") + value_text(item, key);
    return "[" + text + "]";
  }
  if (value.is_object()) {
    for (const auto& [name, part] : value.items()) {
      if (part.is_null()) continue;
      text += concat(text.empty() ? "" : ", ", key_text(name), " = ", value_text(part, name));
    }
    return text.empty() ? "{}" : "{ " + text + " }";
  }
  fail(Cause::BadInput, "\"", key, "\": TOML has no null in lists");
}

bool is_table_list(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](const Json& item) { return item.is_object(); });
}

void write_values(std::string& out, const Json& object) {
  for (const auto& [key, value] : object.items()) {
    if (value.is_null() || value.is_object() || is_table_list(value)) continue;
    out += concat(key_text(key), " = ", value_text(value, key), "\n");
  }
}

// Tables within tables stay inline: requests have one level.
void write_table(std::string& out, const std::string& head, const Json& object) {
  out += concat(out.empty() ? "" : "\n", head, "\n");
  for (const auto& [key, value] : object.items()) {
    if (!value.is_null()) out += concat(key_text(key), " = ", value_text(value, key), "\n");
  }
}

}  // namespace

Json toml_to_json(const toml::table& table, const std::string& what) {
  return table_json(table, what, 0);
}

std::string json_to_toml(const Json& object) {
  std::string out;
  write_values(out, object);
  for (const auto& [key, value] : object.items()) {
    if (value.is_object()) write_table(out, "[" + key_text(key) + "]", value);
    if (!is_table_list(value)) continue;
    for (const Json& item : value) write_table(out, "[[" + key_text(key) + "]]", item);
  }
  return out;
}

std::string place_of(const toml::table& table, const std::string& key, const std::string& what) {
  const toml::node* node = table.get(key);
  return place(node != nullptr ? *node : table, what);
}

}  // namespace affiche
