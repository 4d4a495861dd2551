// SPDX-License-Identifier: Apache-2.0
#include "diffusion/pipelines/request_fields.h"

#include <cmath>

#include "base/error.h"

namespace affiche::diffusion {
namespace {

constexpr std::size_t kLongestList = 64;

template <typename Value, typename Read>
std::vector<Value> one_or_more(const RequestFields& fields, const std::string& key,
                               const Json& value, Read read) {
  if (!value.is_array()) return {read(value)};
  if (value.empty() || value.size() > kLongestList) {
    fields.refuse(key, value, "one value or a list of 1 to 64");
  }
  std::vector<Value> all;
  for (const Json& item : value) all.push_back(read(item));
  return all;
}

}  // namespace

void RequestFields::refuse(const std::string& key, const Json& value,
                           const std::string& expected) const {
  fail(Cause::BadInput, what, ": \"", key, "\": expected ", expected, ", found ",
       value.dump(-1, ' ', false, Json::error_handler_t::replace).substr(0, 200));
}

std::string RequestFields::text(const std::string& key, const Json& value) const {
  if (!value.is_string()) refuse(key, value, "a string");
  return value.get<std::string>();
}

bool RequestFields::flag(const std::string& key, const Json& value) const {
  if (!value.is_boolean()) refuse(key, value, "true or false");
  return value.get<bool>();
}

std::int64_t RequestFields::integer(const std::string& key, const Json& value) const {
  const bool fits = value.is_number_integer() &&
                    !(value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX);
  if (!fits) refuse(key, value, "a whole number");
  return value.get<std::int64_t>();
}

double RequestFields::number(const std::string& key, const Json& value) const {
  if (!value.is_number() || !std::isfinite(value.get<double>())) refuse(key, value, "a number");
  return value.get<double>();
}

std::filesystem::path RequestFields::path(const std::string& key, const Json& value) const {
  const std::string name = text(key, value);
  if (name.empty() || name.find('\0') != std::string::npos) refuse(key, value, "a path");
  // References to models that are fetched: the caller looks them up.
  const bool reference = name.starts_with("hub:") || name.starts_with("https://");
  return reference ? std::filesystem::path(name) : folder / name;
}

Size RequestFields::size(const std::string& key, const Json& value) const {
  if (!value.is_array() || value.size() != 2) refuse(key, value, "two numbers, height and width");
  return {integer(key, value[0]), integer(key, value[1])};
}

std::vector<std::string> RequestFields::texts(const std::string& key, const Json& value) const {
  return one_or_more<std::string>(*this, key, value,
                                  [&](const Json& item) { return text(key, item); });
}

std::vector<std::int64_t> RequestFields::integers(const std::string& key, const Json& value) const {
  return one_or_more<std::int64_t>(*this, key, value,
                                   [&](const Json& item) { return integer(key, item); });
}

std::vector<double> RequestFields::numbers(const std::string& key, const Json& value) const {
  return one_or_more<double>(*this, key, value,
                             [&](const Json& item) { return number(key, item); });
}

std::vector<std::filesystem::path> RequestFields::paths(const std::string& key,
                                                        const Json& value) const {
  return one_or_more<std::filesystem::path>(*this, key, value,
                                            [&](const Json& item) { return path(key, item); });
}

}  // namespace affiche::diffusion
