// SPDX-License-Identifier: Apache-2.0
#include "diffusion/nn/config_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "base/json.h"
#include "base/suggest.h"

namespace affiche::diffusion {
namespace {

bool in_range(const Json& value, std::int64_t most) {
  return value.is_number_integer() && value.get<std::int64_t>() >= 1 &&
         value.get<std::int64_t>() <= most;
}

}  // namespace

ConfigReader::ConfigReader(const Json& json, std::string what)
    : json_(json), what_(std::move(what)) {
  if (!json.is_object()) fail(Cause::BadInput, what_, ": expected an object");
}

const Json* ConfigReader::find(std::string_view key) {
  asked_.emplace(key);
  const auto found = json_.find(std::string(key));
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

bool ConfigReader::has(std::string_view key) const {
  const auto found = json_.find(std::string(key));
  return found != json_.end() && !found->is_null();
}

bool ConfigReader::is_null(std::string_view key) const {
  const auto found = json_.find(std::string(key));
  return found != json_.end() && found->is_null();
}

bool ConfigReader::is_list(std::string_view key) const {
  const auto found = json_.find(std::string(key));
  return found != json_.end() && found->is_array();
}

std::int64_t ConfigReader::integer(std::string_view key, std::int64_t fallback, std::int64_t most) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!in_range(*value, most)) refuse(key, concat("expected a whole number from 1 to ", most));
  return value->get<std::int64_t>();
}

std::int64_t ConfigReader::any_integer(std::string_view key, std::int64_t fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number_integer()) refuse(key, "expected a whole number");
  return value->get<std::int64_t>();
}

double ConfigReader::number(std::string_view key, double fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_number() || !std::isfinite(value->get<double>())) refuse(key, "expected a number");
  return value->get<double>();
}

bool ConfigReader::flag(std::string_view key, bool fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_boolean()) refuse(key, "expected true or false");
  return value->get<bool>();
}

std::string ConfigReader::text(std::string_view key, const std::string& fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_string()) refuse(key, "expected a string");
  return value->get<std::string>();
}

std::vector<std::int64_t> ConfigReader::integers(std::string_view key,
                                                 std::vector<std::int64_t> fallback,
                                                 std::int64_t most) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_array() || value->empty() || value->size() > 64) {
    refuse(key, "expected a list of whole numbers");
  }
  std::vector<std::int64_t> result;
  for (const Json& item : *value) {
    if (!in_range(item, most)) refuse(key, concat("expected whole numbers from 1 to ", most));
    result.push_back(item.get<std::int64_t>());
  }
  return result;
}

std::vector<std::string> ConfigReader::texts(std::string_view key,
                                             std::vector<std::string> fallback) {
  const Json* value = find(key);
  if (value == nullptr) return fallback;
  if (!value->is_array()) refuse(key, "expected a list of strings");
  std::vector<std::string> result;
  for (const Json& item : *value) {
    if (!item.is_string()) refuse(key, "expected a list of strings");
    result.push_back(item.get<std::string>());
  }
  return result;
}

std::vector<double> ConfigReader::numbers(std::string_view key, std::size_t count) {
  const Json* value = find(key);
  if (value == nullptr) return {};
  std::vector<double> result;
  if (value->is_array()) {
    for (const Json& item : *value) {
      if (item.is_number() && std::isfinite(item.get<double>())) {
        result.push_back(item.get<double>());
      }
    }
  }
  if (result.size() != count || value->size() != count) {
    refuse(key, concat("expected a list of ", count, " numbers"));
  }
  return result;
}

std::vector<std::int64_t> ConfigReader::per_level(std::string_view key, std::size_t count,
                                                  std::int64_t fallback, std::int64_t most) {
  const Json* value = find(key);
  if (value == nullptr || !value->is_array()) {
    return std::vector<std::int64_t>(count, integer(key, fallback, most));
  }
  std::vector<std::int64_t> result = integers(key, {}, most);
  if (result.size() != count) {
    refuse(key, concat("expected one number or a list of ", count));
  }
  return result;
}

std::vector<bool> ConfigReader::flags_per_level(std::string_view key, std::size_t count) {
  const Json* value = find(key);
  if (value == nullptr || !value->is_array()) return std::vector<bool>(count, flag(key, false));
  const bool fits =
      value->size() == count && std::all_of(value->begin(), value->end(),
                                            [](const Json& entry) { return entry.is_boolean(); });
  if (!fits) refuse(key, concat("expected true, false or a list of ", count, " of them"));
  return value->get<std::vector<bool>>();
}

void ConfigReader::only(std::string_view key, std::string_view neutral) {
  const Json* value = find(key);
  if (value == nullptr || *value == Json::parse(neutral)) return;
  refuse(key, concat("only ", neutral, " is supported"));
}

void ConfigReader::ignore(std::initializer_list<std::string_view> keys) {
  for (const std::string_view key : keys) asked_.emplace(key);
}

void ConfigReader::finish() const {
  const std::vector<std::string> known(asked_.begin(), asked_.end());
  for (const auto& [key, value] : json_.items()) {
    if (key.starts_with('_') || value.is_null() || asked_.contains(key)) continue;
    refuse(key, concat("unknown option", suggestion(key, known)));
  }
}

void ConfigReader::refuse(std::string_view key, const std::string& message) const {
  const auto found = json_.find(std::string(key));
  fail(Cause::BadInput, what_, ": \"", key, "\": ", message,
       found == json_.end() ? std::string() : ", found " + found->dump().substr(0, 200));
}

}  // namespace affiche::diffusion
