// SPDX-License-Identifier: Apache-2.0
// Every key of a template and of a brand: documented, and refused with its place when it is wrong.
#include "cards/schema.h"

#include <toml++/toml.h>
#include <cctype>
#include <functional>
#include <regex>
#include <set>
#include <utility>

#include "base/files.h"
#include "cards/fixtures.h"
#include "catch.h"

namespace affiche::cards::test {
namespace {

// Every table of the format once, with the place where its keys stand.
void each_table(const std::function<void(const KeyTable&)>& visit) {
  std::set<const KeyTable*> seen;
  const std::function<void(const KeyTable&)> walk = [&](const KeyTable& table) {
    if (!seen.insert(&table).second) return;
    visit(table);
    for (const Key& key : table.keys) {
      if (key.table != nullptr) walk(*key.table);
    }
  };
  walk(template_keys());
  for (const std::string& kind : layer_kinds()) walk(layer_keys(kind));
}

KeyTable with_nothing_required(KeyTable table) {
  for (Key& key : table.keys) key.required = false;
  return table;
}

// What reading "key = value" on the third line of a file says.
std::string refusal(const KeyTable& schema, const std::string& key, const std::string& value) {
  const KeyTable table = with_nothing_required(schema);
  const toml::table file = toml::parse("\n\n  " + key + " = " + value + "\n");
  const Thrown error = thrown([&] { Fields(table, {&file}, "card.toml", "here"); });
  CHECK(error.cause == Cause::BadInput);
  return error.message;
}

// The words within the `code spans` of a page.
std::set<std::string> code_words(const std::string& page) {
  std::set<std::string> words;
  std::string word;
  bool code = false;
  for (const char c : page + "\n") {
    const bool part =
        std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || (c == '-' && !word.empty());
    if (code && part) {
      word += c;
      continue;
    }
    if (!word.empty()) words.insert(std::exchange(word, ""));
    if (c == '`') code = !code;
    if (c == '\n') code = false;
  }
  return words;
}

std::string section(const std::string& text, const std::string& heading) {
  const std::size_t begin = text.find("\n## " + heading);
  REQUIRE(begin != std::string::npos);
  return text.substr(begin, text.find("\n## ", begin + 1) - begin);
}

}  // namespace

TEST_CASE("docs/templates.md has every key of every table of a template", "[schema][docs]") {
  const std::set<std::string> page = code_words(read_text(kRoot / "docs/templates.md"));
  int tables = 0;
  each_table([&](const KeyTable& table) {
    ++tables;
    for (const Key& key : table.keys) {
      CAPTURE(table.name, key.name);
      CHECK(page.contains(key.name));
    }
  });
  CHECK(tables > 20);
  CHECK_FALSE(page.contains("no_such_key"));
}

TEST_CASE("docs/templates.md has every word that a key may take", "[schema][docs]") {
  const std::set<std::string> page = code_words(read_text(kRoot / "docs/templates.md"));
  each_table([&](const KeyTable& table) {
    for (const Key& key : table.keys) {
      for (const std::string& word : key.choices) {
        CAPTURE(table.name, key.name, word);
        CHECK(page.contains(word));
      }
    }
  });
}

TEST_CASE("docs/templates.md has every key of a brand", "[schema][docs]") {
  const std::set<std::string> brand =
      code_words(section(read_text(kRoot / "docs/templates.md"), "Brand"));
  const std::string source = read_text(kRoot / "src/cards/brand.cpp");
  const std::regex asked(
      R"re((?:\.(?:text|integer|number|flag|texts|tables?|has)\(|\(reader, )"([a-z_]+)")re");
  std::set<std::string> keys;
  for (std::sregex_iterator at(source.begin(), source.end(), asked), end; at != end; ++at) {
    keys.insert((*at)[1]);
  }
  CHECK(keys.size() > 20);
  CHECK(keys.contains("schemes"));
  CHECK(keys.contains("variations"));
  for (const std::string& key : keys) {
    CAPTURE(key);
    CHECK(brand.contains(key));
  }
}

TEST_CASE("an unknown word of any key is refused with its place and the words it may be",
          "[schema]") {
  int words = 0;
  each_table([&](const KeyTable& table) {
    for (const Key& key : table.keys) {
      if (key.choices.empty()) continue;
      ++words;
      CAPTURE(table.name, key.name);
      const std::string message = refusal(table, key.name, "\"no-such-word\"");
      CHECK(contains(message, "card.toml:3:"));
      CHECK(contains(message, "here." + key.name + ": expected "));
      CHECK(contains(message, "found \"no-such-word\""));
      for (const std::string& word : key.choices) CHECK(contains(message, word));
      CHECK(contains(refusal(table, key.name, "3"), "expected a string"));
    }
  });
  CHECK(words > 15);
}

TEST_CASE("a number out of the range of any key is refused with its place and the range",
          "[schema]") {
  int numbers = 0;
  each_table([&](const KeyTable& table) {
    for (const Key& key : table.keys) {
      if (key.type != KeyType::Number && key.type != KeyType::Integer) continue;
      ++numbers;
      CAPTURE(table.name, key.name);
      const bool whole = key.type == KeyType::Integer;
      for (const std::string& value :
           {std::string(whole ? "99999999" : "1e12"), std::string(whole ? "-99999999" : "-1e12")}) {
        const std::string message = refusal(table, key.name, value);
        CHECK(contains(message, "card.toml:3:"));
        CHECK(contains(message, concat("expected ", key.low, " to ", key.high, ", found ")));
      }
      if (!whole) CHECK(contains(refusal(table, key.name, "nan"), "expected "));
      CHECK(contains(refusal(table, key.name, "\"3\""), whole ? "an integer" : "a number"));
    }
  });
  CHECK(numbers > 30);
}

TEST_CASE("an unknown key of any table is refused with its place and the nearest", "[schema]") {
  each_table([&](const KeyTable& table) {
    const Key& first = table.keys.front();
    CAPTURE(table.name);
    const std::string message = refusal(table, first.name + "q", "1");
    CHECK(contains(message, "card.toml:3:"));
    CHECK(contains(message, "unknown key"));
    if (first.name.size() > 3) CHECK(contains(message, "'" + first.name + "'"));
  });
}

}  // namespace affiche::cards::test
