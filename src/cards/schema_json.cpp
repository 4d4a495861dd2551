// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "base/json.h"
#include "cards/schema.h"

namespace affiche::cards {
namespace {

constexpr const char* kColour = "^(#[0-9A-Fa-f]{6}([0-9A-Fa-f]{2})?|(brand|var)\\..+)$";
constexpr const char* kPercent = "^-?[0-9.]+%$";

Json object_of(const KeyTable& table);

Json array_of(Json items) {
  return {{"type", "array"}, {"items", std::move(items)}};
}

Json length() {
  return {{"anyOf", {{{"type", "number"}}, {{"type", "string"}, {"pattern", kPercent}}}}};
}

Json value_of(const Key& key) {
  switch (key.type) {
    case KeyType::Flag:
      return {{"type", "boolean"}, {"default", key.value != 0}};
    case KeyType::Integer:
    case KeyType::Number: {
      Json value = {{"type", key.type == KeyType::Integer ? "integer" : "number"}};
      if (std::isfinite(key.low)) value["minimum"] = key.low;
      if (std::isfinite(key.high)) value["maximum"] = key.high;
      return value;
    }
    case KeyType::Choice:
      return {{"enum", key.choices}};
    case KeyType::Colour:
      return {{"type", "string"}, {"pattern", kColour}};
    case KeyType::Texts:
      return array_of({{"type", "string"}});
    case KeyType::Numbers:
    case KeyType::Lengths: {
      Json value = array_of(key.type == KeyType::Numbers ? Json{{"type", "number"}} : length());
      value["minItems"] = static_cast<int>(key.low);
      value["maxItems"] = static_cast<int>(key.high);
      if (key.type == KeyType::Lengths && key.low <= 1) return {{"anyOf", {length(), value}}};
      return value;
    }
    case KeyType::Table:
      return object_of(*key.table);
    case KeyType::Tables:
      return array_of(object_of(*key.table));
    case KeyType::Named:
      return {{"type", "object"}, {"additionalProperties", object_of(*key.table)}};
    default:
      return {{"type", "string"}};
  }
}

Json object_of(const KeyTable& table) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const Key& key : table.keys) {
    if (key.type == KeyType::Tables && key.table == nullptr) continue;  // layers: below
    properties[key.name] = value_of(key);
    if (!key.meaning.empty()) properties[key.name]["description"] = key.meaning;
    if (!key.fallback.empty()) properties[key.name]["default"] = key.fallback;
    if (key.required) required.push_back(key.name);
  }
  Json object = {{"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  if (!required.empty()) object["required"] = required;
  return object;
}

}  // namespace

std::string template_json_schema() {
  Json schema = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                 {"title", "affiche template"}};
  schema.update(object_of(template_keys()));
  Json kinds = Json::array();
  for (const std::string& kind : layer_kinds()) {
    Json layer = object_of(layer_keys(kind));
    layer["title"] = kind;
    layer["properties"]["kind"] = {{"const", kind}};
    // A [define] table may give every other key.
    layer["required"] = {"kind"};
    kinds.push_back(std::move(layer));
  }
  schema["properties"]["layers"] = array_of({{"oneOf", std::move(kinds)}});
  schema["required"].push_back("layers");
  return schema.dump(2) + "\n";
}

}  // namespace affiche::cards
