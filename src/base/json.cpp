// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <set>
#include <vector>

#include "base/error.h"

namespace affiche {
namespace {

constexpr int kMaxDepth = 64;

// JSON has no infinities; numbers beyond double's range read as infinite in nlohmann's "1e999" only
// through strtod, so the bare words are replaced outside strings.
std::string replace_python_words(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      out.push_back(c);
      if (c == '\\' && i + 1 < text.size()) out.push_back(text[++i]);
      if (c == '"') in_string = false;
      continue;
    }
    if (text.compare(i, 9, "-Infinity") == 0) {
      out += "\"-Infinity\"";
      i += 8;
    } else if (text.compare(i, 8, "Infinity") == 0) {
      out += "\"Infinity\"";
      i += 7;
    } else if (text.compare(i, 3, "NaN") == 0) {
      out += "\"NaN\"";
      i += 2;
    } else {
      in_string = c == '"';
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

Json parse_json(std::string_view text, std::string_view what, bool allow_infinity) {
  const std::string source = allow_infinity ? replace_python_words(text) : std::string(text);
  std::vector<std::set<std::string>> keys;
  const auto watch = [&](int depth, Json::parse_event_t event, Json& value) {
    if (depth > kMaxDepth) {
      fail(Cause::BadInput, what, ": expected nesting of at most ", kMaxDepth, " levels");
    }
    if (event == Json::parse_event_t::object_start) keys.emplace_back();
    if (event == Json::parse_event_t::object_end) keys.pop_back();
    if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second) {
      fail(Cause::BadInput, what, ": the key \"", value.get<std::string>(), "\" occurs twice");
    }
    return true;
  };
  try {
    return Json::parse(source, watch);
  } catch (const Json::exception& error) {
    fail(Cause::BadInput, what, ": not valid JSON: ", error.what());
  }
}

}  // namespace affiche
