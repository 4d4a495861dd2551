// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <unordered_set>
#include <utility>
#include <vector>

#include "base/error.h"

namespace affiche {
namespace {

constexpr std::size_t kMaxDepth = 64;

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

// Builds what is parsed. nlohmann's own builder looks through all earlier keys of an object for
// each new one, which takes seconds for the vocabulary of a tokenizer and hours for a hostile file.
class Builder final : public nlohmann::json_sax<Json> {
 public:
  explicit Builder(std::string_view what) : what_(what) {}
  Json take() { return std::move(root_); }

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t&) override { return add(value); }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }

  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    Level& level = levels_.back();
    if (!level.keys.insert(name).second) {
      fail(Cause::BadInput, what_, ": the key \"", name, "\" occurs twice");
    }
    level.key = std::move(name);
    return true;
  }

  bool parse_error(std::size_t, const std::string&, const Json::exception& error) override {
    fail(Cause::BadInput, what_, ": not valid JSON: ", error.what());
  }

 private:
  struct Level {
    Json* container;  // nothing is added to its parent while it is open, so it stays in place
    std::string key;
    std::unordered_set<std::string> keys;
  };

  template <typename Value>
  bool add(Value&& value) {
    place(Json(std::forward<Value>(value)));
    return true;
  }

  Json* place(Json value) {
    if (levels_.empty()) {
      root_ = std::move(value);
      return &root_;
    }
    Level& level = levels_.back();
    if (level.container->is_array()) {
      level.container->push_back(std::move(value));
      return &level.container->back();
    }
    auto& members = level.container->get_ref<Json::object_t&>();
    members.emplace_back(level.key, std::move(value));
    return &members.back().second;
  }

  bool open(Json container) {
    if (levels_.size() >= kMaxDepth) {
      fail(Cause::BadInput, what_, ": expected nesting of at most ", kMaxDepth, " levels");
    }
    levels_.push_back({place(std::move(container)), {}, {}});
    return true;
  }

  bool close() {
    levels_.pop_back();
    return true;
  }

  std::string_view what_;
  Json root_;
  std::vector<Level> levels_;
};

}  // namespace

Json parse_json(std::string_view text, std::string_view what, bool allow_infinity) {
  Builder builder(what);
  if (allow_infinity) {
    Json::sax_parse(replace_python_words(text), &builder);
  } else {
    Json::sax_parse(text.begin(), text.end(), &builder);
  }
  return builder.take();
}

}  // namespace affiche
