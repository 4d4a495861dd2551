// SPDX-License-Identifier: Apache-2.0
// Values of a request's keys, by type; errors name the file, the key, what was expected and found.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "diffusion/pipelines/request.h"

namespace affiche::diffusion {

struct RequestFields {
  std::filesystem::path folder;  // that paths are relative to
  std::string what;              // the request's name in errors

  [[noreturn]] void refuse(const std::string& key, const Json& value,
                           const std::string& expected) const;
  std::string text(const std::string& key, const Json& value) const;
  bool flag(const std::string& key, const Json& value) const;
  std::int64_t integer(const std::string& key, const Json& value) const;
  double number(const std::string& key, const Json& value) const;
  std::filesystem::path path(const std::string& key, const Json& value) const;
  Size size(const std::string& key, const Json& value) const;  // [height, width]
  // One value or a list of 1 to 64.
  std::vector<std::string> texts(const std::string& key, const Json& value) const;
  std::vector<std::int64_t> integers(const std::string& key, const Json& value) const;
  std::vector<double> numbers(const std::string& key, const Json& value) const;
  std::vector<std::filesystem::path> paths(const std::string& key, const Json& value) const;
  // Calls take(name, value) for each entry of an object; it returns false for names it lacks.
  template <typename Take>
  void object(const std::string& key, const Json& value, const std::string& names,
              Take&& take) const {
    if (!value.is_object()) refuse(key, value, "an object with " + names);
    for (const auto& [name, item] : value.items()) {
      if (!take(name, item)) refuse(key + "." + name, item, "one of the keys " + names);
    }
  }
};

}  // namespace affiche::diffusion
