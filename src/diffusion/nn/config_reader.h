// SPDX-License-Identifier: Apache-2.0
// Strict reading of a network's config.json: what is not asked for, or asks for something that is
// not built, is refused by its key, because a network run with an ignored option is silently wrong.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <nlohmann/json_fwd.hpp>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace affiche::diffusion {

// Errors are BadInput. Not thread-safe; one reader per object. A key with the value null counts as
// missing.
class ConfigReader {
 public:
  // Beyond these a config is a damaged or hostile file, not a model.
  static constexpr std::int64_t kLargest = 1 << 20;
  static constexpr std::int64_t kMostLayers = 64;

  // `what` names the object in errors ("UNet2DConditionModel config").
  ConfigReader(const nlohmann::ordered_json& json, std::string what);

  // From 1 to `most`.
  std::int64_t integer(std::string_view key, std::int64_t fallback, std::int64_t most = kLargest);
  std::int64_t any_integer(std::string_view key, std::int64_t fallback);
  double number(std::string_view key, double fallback);
  bool flag(std::string_view key, bool fallback);
  std::string text(std::string_view key, const std::string& fallback);
  std::vector<std::int64_t> integers(std::string_view key, std::vector<std::int64_t> fallback,
                                     std::int64_t most = kLargest);
  std::vector<std::string> texts(std::string_view key, std::vector<std::string> fallback);
  // A list of `count` finite numbers; empty when the key is missing.
  std::vector<double> numbers(std::string_view key, std::size_t count);
  // A list of `count` numbers, or one number that stands for all.
  std::vector<std::int64_t> per_level(std::string_view key, std::size_t count,
                                      std::int64_t fallback, std::int64_t most = kLargest);
  // A list of `count` flags, or one flag that stands for all; false when the key is missing.
  std::vector<bool> flags_per_level(std::string_view key, std::size_t count);
  bool has(std::string_view key) const;  // there, and not null
  bool is_null(std::string_view key) const;
  bool is_list(std::string_view key) const;

  // Accepts the key only when missing, null or exactly `neutral` (JSON text): other values change
  // the network in ways that are not built.
  void only(std::string_view key, std::string_view neutral = "null");
  // Does not change what the network computes.
  void ignore(std::initializer_list<std::string_view> keys);
  // Refuses keys that nobody asked for, except null ones and those that start with '_'.
  void finish() const;
  [[noreturn]] void refuse(std::string_view key, const std::string& message) const;

 private:
  const nlohmann::ordered_json* find(std::string_view key);
  const nlohmann::ordered_json& json_;
  std::string what_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace affiche::diffusion
