// SPDX-License-Identifier: Apache-2.0
#include "cards/template.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/sha256.h"
#include "base/suggest.h"
#include "base/toml.h"
#include "cards/template_layers.h"

namespace affiche::cards {
namespace {

constexpr int kMaxSide = 4096;
constexpr std::size_t kMaxLayers = 100;

template <typename Content>
bool has_layer(const Template& card) {
  return std::any_of(card.layers.begin(), card.layers.end(), [](const Layer& layer) {
    return std::holds_alternative<Content>(layer.content);
  });
}

void read_canvas(TomlReader& root, Template& card) {
  const toml::table* table = root.table("canvas");
  if (table == nullptr) root.refuse("canvas", "expected a table with width and height");
  TomlReader reader = root.child("canvas", *table);
  for (const auto& [key, value] : {std::pair{"width", &card.width}, {"height", &card.height}}) {
    const std::int64_t side = reader.integer(key);
    if (side < 64 || side > kMaxSide) {
      reader.refuse(key, concat("expected 64 to ", kMaxSide, " pixels, found ", side));
    }
    *value = static_cast<int>(side);
  }
  reader.finish();
}

Variable read_variable(TomlReader& reader) {
  Variable variable;
  const std::string type = reader.text("type", "text");
  if (type == "date") {
    variable.type = Variable::Type::Date;
  } else if (type == "colour") {
    variable.type = Variable::Type::Colour;
  } else if (type != "text") {
    const std::vector<std::string> types = {"text", "date", "colour"};
    reader.refuse("type", "unknown type \"" + type + "\"" + suggestion(type, types));
  }
  variable.required = reader.flag("required", false);
  variable.fallback = reader.text("default", "");
  variable.description = reader.text("description", "");
  const std::int64_t length = reader.integer("max_length", variable.max_length);
  if (length < 1 || length > 2000) reader.refuse("max_length", "expected 1 to 2000");
  variable.max_length = static_cast<int>(length);
  Colour colour;
  if (variable.type == Variable::Type::Colour && !variable.fallback.empty() &&
      !parse_hex(variable.fallback, colour)) {
    reader.refuse("default", "expected a colour such as #0FA3B1");
  }
  if (variable.required && !variable.fallback.empty()) {
    reader.refuse("default", "a required variable has no default; remove one of the two");
  }
  reader.finish();
  return variable;
}

void read_variables(TomlReader& root, Template& card) {
  const toml::table* table = root.table("variables");
  if (table == nullptr) return;
  TomlReader variables = root.child("variables", *table);
  for (const std::string& name : variables.keys()) {
    const toml::table* details = variables.table(name);
    TomlReader reader = variables.child(name, *details);
    card.variables[name] = read_variable(reader);
  }
}

Stack read_stack(TomlReader& reader, const Template& card) {
  Stack stack;
  stack.name = reader.text("name");
  stack.box = read_box(reader, "box", card);
  if (reader.has("box_no_photo")) stack.box_no_photo = read_box(reader, "box_no_photo", card);
  const std::string align = reader.text("align", "center");
  if (align == "start") {
    stack.align = Align::Start;
  } else if (align == "end") {
    stack.align = Align::End;
  } else if (align != "center") {
    reader.refuse("align", "expected start, center or end, found \"" + align + "\"");
  }
  reader.finish();
  return stack;
}

void check_names(const TomlReader& root, const Template& card) {
  std::set<std::string> names;
  std::vector<std::string> texts;
  for (const Layer& layer : card.layers) {
    if (!names.insert(layer.name).second) {
      root.refuse("layers", "two layers are named \"" + layer.name + "\"; give each its own name");
    }
    if (std::holds_alternative<TextLayer>(layer.content) ||
        std::holds_alternative<CreditLayer>(layer.content)) {
      texts.push_back(layer.name);
    }
  }
  for (const Layer& layer : card.layers) {
    const auto* scrim = std::get_if<ScrimLayer>(&layer.content);
    if (scrim == nullptr) continue;
    for (const std::string& name : scrim->under) {
      if (std::find(texts.begin(), texts.end(), name) == texts.end()) {
        root.refuse("layers", "scrim \"" + layer.name + "\": no text layer \"" + name + "\"" +
                                  suggestion(name, texts));
      }
    }
  }
}

// Promise 1: where a photo can stand, its credit stands too, fully opaque (compose() draws it
// last).
void check_credit(const TomlReader& root, const Template& card) {
  if (!card.has_photo()) return;
  if (!has_layer<CreditLayer>(card)) {
    root.refuse("layers", "a photo layer without a credit layer; add a layer of kind \"credit\"");
  }
  const bool shown = std::any_of(card.layers.begin(), card.layers.end(), [](const Layer& layer) {
    return std::holds_alternative<CreditLayer>(layer.content) && layer.opacity == 1 &&
           (layer.when.empty() || layer.when == "photo");
  });
  if (!shown) {
    root.refuse("layers",
                "with a photo layer the credit layer needs opacity 1 and no other condition than "
                "when = \"photo\"");
  }
}

}  // namespace

bool Template::has_photo() const {
  return has_layer<PhotoLayer>(*this);
}

std::vector<std::string> Template::generated_names(bool with_photo) const {
  std::vector<std::string> names;
  for (const Layer& layer : layers) {
    const auto* generated = std::get_if<GeneratedLayer>(&layer.content);
    if (generated == nullptr || layer.when == (with_photo ? "no_photo" : "photo")) continue;
    if (std::find(names.begin(), names.end(), generated->source) == names.end()) {
      names.push_back(generated->source);
    }
  }
  return names;
}

Template parse_template(const std::string& text, const std::string& what,
                        const std::filesystem::path& folder) {
  const toml::table table = parse_toml(text, what);
  TomlReader root(table, what);
  Template card;
  card.name = std::filesystem::path(what).stem().string();
  card.description = root.text("description", "");
  read_canvas(root, card);
  const std::string missing = root.text("photo_missing", "fail");
  if (missing == "variant") {
    card.photo_missing = Template::PhotoMissing::Variant;
  } else if (missing != "fail") {
    root.refuse("photo_missing", "expected \"variant\" or \"fail\", found \"" + missing + "\"");
  }
  const std::string model = root.text("model_missing", "fallback");
  if (model == "fail") {
    card.model_missing = Template::ModelMissing::Fail;
  } else if (model != "fallback") {
    root.refuse("model_missing", "expected \"fallback\" or \"fail\", found \"" + model + "\"");
  }
  read_variables(root, card);
  for (const toml::table* stack : root.tables("stacks")) {
    TomlReader reader = root.child("stacks", *stack);
    card.stacks.push_back(read_stack(reader, card));
  }
  LayerScope scope{card, folder, {}};
  for (const toml::table* layer : root.tables("layers")) {
    TomlReader reader = root.child("layers", *layer);
    card.layers.push_back(read_layer(reader, scope));
    if (card.layers.size() > kMaxLayers) root.refuse("layers", "more than 100 layers");
  }
  if (card.layers.empty()) root.refuse("layers", "expected at least one layer");
  root.finish();
  check_names(root, card);
  check_credit(root, card);
  card.sha256 = sha256_hex(text + '\0' + scope.assets);
  return card;
}

Template load_template(const std::filesystem::path& path) {
  return parse_template(read_text(path, std::size_t{4} << 20), path.string(), path.parent_path());
}

}  // namespace affiche::cards
