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
#include "cards/variables.h"

namespace affiche::cards {
namespace {

constexpr std::size_t kMaxLayers = 100;
constexpr std::size_t kMaxSizes = 24;

template <typename Content>
bool has_layer(const Template& card) {
  return std::any_of(card.layers.begin(), card.layers.end(), [](const Layer& layer) {
    return std::holds_alternative<Content>(layer.content);
  });
}

using Tables = std::vector<const toml::table*>;

// One canvas of the file while it is read: the file, and the size's changes to it (nullptr: none).
struct Reading {
  const Fields& root;
  const toml::table* changes;
  const std::string& what;
  std::filesystem::path folder;
  std::string assets = {};

  // The size's changes of one layer, stack or group by its name.
  const toml::table* change(const char* list, const std::string& name) const {
    const toml::table* named =
        changes != nullptr && changes->contains(list) ? changes->get(list)->as_table() : nullptr;
    const toml::node* found = named != nullptr ? named->get(name) : nullptr;
    return found != nullptr ? found->as_table() : nullptr;
  }
};

[[noreturn]] void refuse_at(const Reading& reading, const toml::node& node,
                            const std::string& message) {
  const auto begin = node.source().begin;
  fail(Cause::BadInput, reading.what, ":", begin.line, ":", begin.column, ": ", message);
}

void read_canvas(const Reading& reading, Template& card) {
  Tables tables = {reading.root.table("canvas")};
  std::string place = "canvas";
  const KeyTable* keys = &canvas_keys();
  if (reading.changes != nullptr) {
    // A size states its width and height; safe zone and background may come from [canvas].
    tables.insert(tables.begin(), reading.changes);
    place = "sizes." + card.size;
    keys = &size_keys();
    for (const char* key : {"width", "height"}) {
      if (!reading.changes->contains(key)) {
        refuse_at(reading, *reading.changes,
                  concat(place, ".", key, ": expected 64 to 4096 pixels, found nothing"));
      }
    }
  }
  const Fields fields(*keys, tables, reading.what, place);
  card.width = fields.integer("width");
  card.height = fields.integer("height");
  card.safe = {0, 0, static_cast<double>(card.width), static_cast<double>(card.height)};
  const std::array<double, 4> sides = read_sides(fields, "safe", card);
  card.safe = {sides[3], sides[0], card.width - sides[1] - sides[3],
               card.height - sides[0] - sides[2]};
  if (!(card.safe.width >= 32 && card.safe.height >= 32)) {
    fields.refuse("safe", "leaves less than 32 pixels");
  }
  if (fields.has("background")) card.background = read_paint(fields, "background", card);
}

Variable read_variable(const Fields& fields) {
  Variable variable;
  variable.type = fields.choice<Variable::Type>("type");
  variable.required = fields.flag("required");
  variable.fallback = fields.text("default");
  variable.description = fields.text("description");
  variable.sample = fields.text("sample");
  variable.max_length = fields.integer("max_length");
  variable.choices = fields.texts("choices");
  const bool choice = variable.type == Variable::Type::Choice;
  if (choice == variable.choices.empty()) {
    fields.refuse("choices", "expected with type = \"choice\", and only there");
  }
  if (variable.required && !variable.fallback.empty()) {
    fields.refuse("default", "a required variable has no default; remove one of the two");
  }
  for (const char* key : {"default", "sample"}) {
    try {
      check_value(variable, fields.text(key), std::string("the value"));
    } catch (const Error& error) {
      fields.refuse(key, error.what());
    }
  }
  return variable;
}

void read_variables(const Reading& reading, Template& card) {
  static const std::vector<std::string> kReserved = {"photo", "rtl", "size", "scheme", "not",
                                                     "and",   "or",  "set",  "unset",  "no_photo"};
  const toml::table* table = reading.root.table("variables");
  if (table == nullptr) return;
  for (const std::string& name : keys_in_order(*table)) {
    const toml::node& node = *table->get(name);
    if (!node.is_table()) refuse_at(reading, node, "variables." + name + ": expected a table");
    if (std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end() || name.empty() ||
        name.find_first_not_of(
            "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") !=
            std::string::npos) {
      refuse_at(reading, node,
                "variables." + name +
                    ": expected a name of letters, digits, _ and - that is no word "
                    "of conditions (photo, rtl, size, scheme, not, and, or)");
    }
    card.variables[name] = read_variable(
        Fields(variable_keys(), {node.as_table()}, reading.what, "variables." + name));
  }
}

void read_scheme(const Reading& reading, Template& card) {
  card.scheme = reading.root.text("scheme");
  if (card.scheme.rfind("var.", 0) != 0) return;
  const auto found = card.variables.find(card.scheme.substr(4));
  if (found == card.variables.end() || found->second.type != Variable::Type::Choice) {
    reading.root.refuse("scheme", "no variable \"" + card.scheme.substr(4) + "\" of type choice");
  }
}

// The tables of one entry of a list, the size's changes first.
Tables overlay(const Reading& reading, const char* list, const toml::table& entry,
               const std::string& name) {
  Tables tables;
  if (const toml::table* change = reading.change(list, name)) {
    for (const char* fixed : {"name", "kind", "use"}) {
      if (const toml::node* node = change->get(fixed)) {
        refuse_at(reading, *node, concat(list, ".", name, ".", fixed, ": cannot differ by size"));
      }
    }
    tables.push_back(change);
  }
  tables.push_back(&entry);
  return tables;
}

std::string name_of(const toml::table& entry, const char* otherwise = "name") {
  const toml::node* node = entry.get("name");
  if (node == nullptr) node = entry.get(otherwise);
  const auto* text = node != nullptr ? node->as_string() : nullptr;
  return text != nullptr ? text->get() : "";
}

void read_groups(const Reading& reading, Template& card, LayerScope& scope) {
  for (const toml::table* entry : reading.root.tables("groups")) {
    const std::string name = name_of(*entry);
    const Fields fields(group_keys(), overlay(reading, "groups", *entry, name), reading.what,
                        "groups." + name);
    Group group;
    group.name = fields.text("name");
    if (card.find_group(group.name) != nullptr || group.name == "canvas" || group.name == "safe") {
      fields.refuse("name", "\"" + group.name + "\" is taken; give each group its own name");
    }
    group.when = read_condition(fields, scope);
    group.box = read_box(fields, card,
                         {0, 0, static_cast<double>(card.width), static_cast<double>(card.height)});
    if (fields.has("box_no_photo")) fields.refuse("box_no_photo", "a group has one box");
    group.opacity = fields.number("opacity");
    group.effects = read_effects(fields, scope, "group");
    card.groups.push_back(std::move(group));
  }
}

Stack read_stack(const Fields& fields, const Template& card, const LayerScope& scope) {
  Stack stack;
  stack.name = fields.text("name");
  stack.when = read_condition(fields, scope);
  stack.row = fields.text("direction") == "row";
  stack.align = fields.choice<Align>("align");
  if (stack.row && !fields.has("align")) stack.align = Align::Start;
  stack.cross = fields.choice<Align>("cross");
  stack.gap = fields.number("spacing");
  stack.mirror = fields.flag("mirror");
  stack.stack = fields.text("stack");
  stack.own_gap = fields.number("gap");
  if (!stack.stack.empty()) {
    // Outer stacks come first, so there are no circles.
    const Stack* outer = card.find_stack(stack.stack);
    if (outer == nullptr) {
      fields.refuse("stack", "no stack \"" + stack.stack + "\" before this one");
    }
    if (fields.has("box") || fields.has("inset")) {
      fields.refuse("stack", "expected either stack or box, found both");
    }
    stack.box = outer->box;
    return stack;
  }
  if (!fields.has("box") && !fields.has("inset") && fields.text("within") == "canvas") {
    fields.refuse("box", "expected [x, y, width, height], inset, or the stack that it is in");
  }
  stack.box = read_box(fields, card, card.safe);
  need_inside(fields, fields.has("inset") ? "inset" : "box", stack.box, card, true);
  if (fields.has("box_no_photo")) {
    stack.box_no_photo = read_box(fields, card, stack.box, "box_no_photo");
    need_inside(fields, "box_no_photo", *stack.box_no_photo, card, true);
  }
  return stack;
}

void read_stacks(const Reading& reading, Template& card, const LayerScope& scope) {
  for (const toml::table* entry : reading.root.tables("stacks")) {
    const std::string name = name_of(*entry);
    const Fields fields(stack_keys(), overlay(reading, "stacks", *entry, name), reading.what,
                        "stacks." + name);
    if (card.find_stack(name) != nullptr) {
      fields.refuse("name", "two stacks are named \"" + name + "\"; give each its own name");
    }
    card.stacks.push_back(read_stack(fields, card, scope));
  }
}

// The [define] tables that a layer names, in its order.
void add_definitions(const Reading& reading, const toml::table& entry, Tables& tables,
                     std::set<std::string>& used) {
  const toml::node* use = entry.get("use");
  if (use == nullptr || !use->is_array()) return;  // a wrong type is refused with the layer
  const toml::table* define = reading.root.table("define");
  for (const toml::node& item : *use->as_array()) {
    const auto* name = item.as_string();
    const toml::node* found =
        name != nullptr && define != nullptr ? define->get(name->get()) : nullptr;
    if (found == nullptr || !found->is_table()) {
      std::vector<std::string> known;
      if (define != nullptr) known = keys_in_order(*define);
      const std::string wanted = name != nullptr ? name->get() : "";
      refuse_at(reading, item,
                "layers.use: no table [define." + wanted + "]" + suggestion(wanted, known));
    }
    for (const char* fixed : {"name", "kind", "use"}) {
      if (const toml::node* node = found->as_table()->get(fixed)) {
        refuse_at(reading, *node, concat("define.", name->get(), ".", fixed, ": cannot be shared"));
      }
    }
    tables.push_back(found->as_table());
    used.insert(name->get());
  }
}

void read_layers(const Reading& reading, Template& card, LayerScope& scope) {
  std::set<std::string> used;
  const std::vector<std::string>& kinds = layer_kinds();
  for (const toml::table* entry : reading.root.tables("layers")) {
    const std::string name = name_of(*entry, "kind");
    Tables tables = overlay(reading, "layers", *entry, name);
    add_definitions(reading, *entry, tables, used);
    const toml::node* kind = entry->get("kind");
    const std::string word = kind != nullptr && kind->is_string() ? kind->as_string()->get() : "";
    if (std::find(kinds.begin(), kinds.end(), word) == kinds.end()) {
      refuse_at(
          reading, kind != nullptr ? *kind : *entry,
          concat("layers.", name, ".kind: unknown kind \"", word, "\"", suggestion(word, kinds)));
    }
    const Fields fields(layer_keys(word), std::move(tables), reading.what, "layers." + name);
    // What this size never draws needs no box in it.
    if (read_condition(fields, scope).evaluate({{"size", card.size}}) == Truth::No) {
      scope.absent.push_back(name);
      continue;
    }
    card.layers.push_back(read_layer(fields, scope));
    if (card.layers.size() > kMaxLayers) reading.root.refuse("layers", "more than 100 layers");
  }
  if (card.layers.empty()) reading.root.refuse("layers", "expected at least one layer");
  if (const toml::table* define = reading.root.table("define")) {
    for (const std::string& name : keys_in_order(*define)) {
      if (!used.contains(name)) {
        refuse_at(reading, *define->get(name), "define." + name + ": no layer uses it; remove it");
      }
    }
  }
}

// A size that changes what the template does not have would be ignored in silence.
void check_changes(const Reading& reading, const Template& card, const LayerScope& scope) {
  const auto check = [&](const char* list, const std::vector<std::string>& known) {
    const toml::node* node = reading.changes->get(list);
    if (node == nullptr) return;
    for (const std::string& name : keys_in_order(*node->as_table())) {
      const toml::node& entry = *node->as_table()->get(name);
      const std::string place = concat("sizes.", card.size, ".", list, ".", name);
      if (!entry.is_table()) refuse_at(reading, entry, place + ": expected a table");
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        refuse_at(reading, entry, place + ": no such entry" + suggestion(name, known));
      }
    }
  };
  const auto names = [&](const auto& entries) {
    std::vector<std::string> all = scope.absent;
    for (const auto& entry : entries) all.push_back(entry.name);
    return all;
  };
  check("layers", names(card.layers));
  check("stacks", names(card.stacks));
  check("groups", names(card.groups));
}

// What a group that changes its pixels as a whole may not hold: the credit, which nothing may hide,
// and a scrim for words that it does not change alike.
void check_in_effects(const Fields& root, const Template& card, const Layer& layer,
                      const Group& group) {
  if (std::holds_alternative<CreditLayer>(layer.content)) {
    root.refuse("layers", "layer \"" + layer.name + "\": group \"" + group.name +
                              "\" has effects, so it cannot hold the credit");
  }
  const auto* scrim = std::get_if<ScrimLayer>(&layer.content);
  if (scrim == nullptr) return;
  for (const Layer& words : card.layers) {
    const bool served =
        std::find(scrim->under.begin(), scrim->under.end(), words.name) != scrim->under.end();
    if (!served || words.group == group.name) continue;
    root.refuse("layers", "scrim \"" + layer.name + "\": group \"" + group.name +
                              "\" has effects, so it serves only words of that group, and \"" +
                              words.name + "\" is in none or in another");
  }
}

// Layers of a group follow one another.
void check_groups(const Fields& root, const Template& card) {
  std::set<std::string> closed;
  const std::string* open = nullptr;
  for (const Layer& layer : card.layers) {
    if (open != nullptr && *open != layer.group) closed.insert(*open);
    if (closed.contains(layer.group) && !layer.group.empty()) {
      root.refuse("layers", "layer \"" + layer.name + "\": the layers of group \"" + layer.group +
                                "\" must follow one another");
    }
    open = layer.group.empty() ? nullptr : &layer.group;
    const Group* group = card.find_group(layer.group);
    if (group != nullptr && !(group->effects.none() && group->opacity == 1)) {
      check_in_effects(root, card, layer, *group);
    }
  }
}

void check_names(const Fields& root, const Template& card, const LayerScope& scope) {
  std::set<std::string> names(scope.absent.begin(), scope.absent.end());
  std::vector<std::string> texts = scope.absent;
  std::vector<std::string> hosts = scope.absent;  // what a layer may stand around
  for (const Layer& layer : card.layers) {
    if (!names.insert(layer.name).second) {
      root.refuse("layers", "two layers are named \"" + layer.name + "\"; give each its own name");
    }
    if (std::holds_alternative<TextLayer>(layer.content) ||
        std::holds_alternative<CreditLayer>(layer.content)) {
      texts.push_back(layer.name);
    }
    if (std::holds_alternative<TextLayer>(layer.content) || !layer.stack.empty() ||
        std::holds_alternative<CreditLayer>(layer.content) ||
        std::holds_alternative<LogoLayer>(layer.content)) {
      hosts.push_back(layer.name);
    }
  }
  for (const Stack& stack : card.stacks) {
    if (!names.insert(stack.name).second) {
      root.refuse("stacks", "a layer is named \"" + stack.name + "\" too; give each its own name");
    }
    hosts.push_back(stack.name);
  }
  for (const Layer& layer : card.layers) {
    if (!layer.around.empty() &&
        std::find(hosts.begin(), hosts.end(), layer.around) == hosts.end()) {
      root.refuse("layers", "layer \"" + layer.name + "\": around: no text, logo or stack \"" +
                                layer.around + "\"" + suggestion(layer.around, hosts));
    }
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
void check_credit(const Fields& root, const Template& card) {
  if (!card.has_photo()) return;
  if (!has_layer<CreditLayer>(card)) {
    root.refuse("layers", "a photo layer without a credit layer; add a layer of kind \"credit\"");
  }
  const std::map<std::string, std::string> photo = {{"photo", "yes"}, {"size", card.size}};
  const bool shown = std::any_of(card.layers.begin(), card.layers.end(), [&](const Layer& layer) {
    const Group* group = card.find_group(layer.group);
    return std::holds_alternative<CreditLayer>(layer.content) && layer.opacity == 1 &&
           layer.when.holds(photo) && (group == nullptr || group->when.holds(photo));
  });
  if (!shown) {
    root.refuse("layers",
                "with a photo layer the credit layer needs opacity 1 and no other condition than "
                "when = \"photo\"");
  }
}

Template read_size(Reading reading, const std::string& size) {
  const Fields& root = reading.root;
  Template card;
  card.name = std::filesystem::path(reading.what).stem().string();
  card.size = size;
  card.description = root.text("description");
  card.photo_missing = root.choice<Template::PhotoMissing>("photo_missing");
  card.model_missing = root.choice<Template::ModelMissing>("model_missing");
  card.mirror = root.flag("mirror");
  read_variables(reading, card);
  read_scheme(reading, card);
  read_canvas(reading, card);
  LayerScope scope{card, reading.folder, {}, {"photo", "rtl", "size", "scheme"}, {}};
  for (const auto& [name, variable] : card.variables) scope.names.push_back(name);
  read_groups(reading, card, scope);
  read_stacks(reading, card, scope);
  read_layers(reading, card, scope);
  if (reading.changes != nullptr) check_changes(reading, card, scope);
  check_names(root, card, scope);
  check_groups(root, card);
  check_credit(root, card);
  card.sha256 = scope.assets;  // parse_template() makes the hash of it
  return card;
}

std::vector<std::string> picture_names(const Template& card, bool with_photo, bool drawn) {
  const std::map<std::string, std::string> known = {{"photo", with_photo ? "yes" : ""},
                                                    {"size", card.size}};
  std::vector<std::string> names;
  for (const Layer& layer : card.layers) {
    const auto* generated = std::get_if<GeneratedLayer>(&layer.content);
    const Group* group = card.find_group(layer.group);
    if (generated == nullptr || generated->drawn != drawn ||
        layer.when.evaluate(known) == Truth::No ||
        (group != nullptr && group->when.evaluate(known) == Truth::No)) {
      continue;
    }
    if (std::find(names.begin(), names.end(), generated->source) == names.end()) {
      names.push_back(generated->source);
    }
  }
  return names;
}

}  // namespace

bool Effects::none() const {
  return blend == Blend::Normal && mask.shape == Mask::Shape::None && blur == 0 && !shadow &&
         !tint && !duotone && grain == 0 && radius == 0 && !border && rotate == 0;
}

bool Template::has_photo() const {
  return has_layer<PhotoLayer>(*this);
}

std::vector<std::string> Template::generated_names(bool with_photo) const {
  return picture_names(*this, with_photo, false);
}

std::vector<std::string> Template::drawn_names(bool with_photo) const {
  return picture_names(*this, with_photo, true);
}

std::vector<std::string> Template::sizes() const {
  std::vector<std::string> names = {size};
  for (const auto& other : other_sizes) names.push_back(other->size);
  return names;
}

const Template& Template::at_size(const std::string& wanted) const {
  if (wanted.empty() || wanted == size) return *this;
  for (const auto& other : other_sizes) {
    if (other->size == wanted) return *other;
  }
  fail(Cause::BadInput, "template \"", name, "\": no size \"", wanted, "\"",
       suggestion(wanted, sizes()));
}

const Stack* Template::find_stack(const std::string& wanted) const {
  const auto found = std::find_if(stacks.begin(), stacks.end(),
                                  [&](const Stack& stack) { return stack.name == wanted; });
  return found != stacks.end() ? &*found : nullptr;
}

const Group* Template::find_group(const std::string& wanted) const {
  const auto found = std::find_if(groups.begin(), groups.end(),
                                  [&](const Group& group) { return group.name == wanted; });
  return found != groups.end() ? &*found : nullptr;
}

Template parse_template(const std::string& text, const std::string& what,
                        const std::filesystem::path& folder) {
  const toml::table table = parse_toml(text, what);
  const Fields root(template_keys(), {&table}, what, "");
  Template card = read_size({root, nullptr, what, folder}, root.text("size_name"));
  const std::string assets = std::exchange(card.sha256, "");
  card.sha256 = sha256_hex(text + '\0' + assets);
  const toml::table* sizes = root.table("sizes");
  if (sizes == nullptr) return card;
  for (const std::string& name : keys_in_order(*sizes)) {
    const Reading reading{root, sizes->get(name)->as_table(), what, folder};
    if (reading.changes == nullptr || name == card.size || name.empty()) {
      refuse_at(reading, *sizes->get(name),
                "sizes." + name + ": expected a table with a name of its own");
    }
    auto other = std::make_shared<Template>(read_size(reading, name));
    other->sha256 = sha256_hex(card.sha256 + other->sha256 + '\0' + name);
    card.other_sizes.push_back(std::move(other));
    if (card.other_sizes.size() > kMaxSizes) root.refuse("sizes", "more than 24 sizes");
  }
  return card;
}

Template load_template(const std::filesystem::path& path) {
  return parse_template(read_text(path, std::size_t{4} << 20), path.string(), path.parent_path());
}

}  // namespace affiche::cards
