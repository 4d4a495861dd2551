// SPDX-License-Identifier: Apache-2.0
#include "recipes/walk.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json.h"
#include "recipes/utf.h"

namespace affiche::recipes {
namespace {

// Without effect on pixels, wherever they stand.
bool is_neutral(const std::string& type) {
  static const std::set<std::string> kNeutral = {
      "MarkdownNote", "Note",      "PreviewAny",         "PreviewImage",
      "Reroute",      "SaveImage", "SaveImageWebsocket", "ShowText|pysssss"};
  return kNeutral.contains(type);
}

bool is_constant(const std::string& type) {
  return type.starts_with("Primitive") || type == "String Literal" || type == "Int Literal" ||
         type == "Float Literal" || type == "INTConstant" || type == "FloatConstant" ||
         type == "StringConstant" || type == "StringConstantMultiline";
}

}  // namespace

std::string shown(const Json& value) {
  std::string text = value.dump(-1, ' ', false, Json::error_handler_t::replace);
  constexpr std::size_t kMost = 80;
  return text.size() <= kMost ? text : clean_text(text.substr(0, kMost - 3)) + "…";
}

Walk::Walk(const Graph& graph, std::string what, Imported& out)
    : graph_(graph), what_(std::move(what)), out_(out) {
  refuse_circles();
}

// Nodes are taken away that nobody waits for, until none is left; what stays goes in circles.
void Walk::refuse_circles() const {
  std::map<std::string, std::size_t> waiting;  // links out of each node
  for (const auto& [id, node] : graph_.nodes) {
    for (const auto& [name, input] : node.inputs) {
      if (input.link) ++waiting[input.link->node];
    }
  }
  std::vector<const Node*> free;
  for (const auto& [id, node] : graph_.nodes) {
    if (!waiting.contains(id)) free.push_back(&node);
  }
  std::size_t gone = 0;
  while (!free.empty()) {
    const Node* node = free.back();
    free.pop_back();
    ++gone;
    for (const auto& [name, input] : node->inputs) {
      if (!input.link || --waiting[input.link->node] > 0) continue;
      waiting.erase(input.link->node);
      if (const Node* next = graph_.find(input.link->node)) free.push_back(next);
    }
  }
  if (gone == graph_.nodes.size()) return;
  for (const auto& [id, count] : waiting) {
    const Node* node = count > 0 ? graph_.find(id) : nullptr;
    if (node != nullptr) {
      fail(Cause::BadInput, what_, ": ", title(*node), ": its links go in a circle");
    }
  }
}

const Input* Walk::mark(const Node& node, std::string_view input) {
  read_[node.id].emplace(input);
  return node.input(input);
}

void Walk::refuse(const Node& node, std::string_view input, const char* expected,
                  const Json& found) const {
  fail(Cause::BadInput, what_, ": ", title(node), ": \"", input, "\": expected ", expected,
       ", found ", shown(found));
}

const Node* Walk::source(const Node& node, std::string_view input, int* slot) {
  const Input* found = mark(node, input);
  if (found == nullptr || !found->link) return nullptr;
  const Node* from = graph_.find(found->link->node);
  if (from == nullptr) return nullptr;  // muted or bypassed: listed already
  see(*from);
  if (slot != nullptr) *slot = found->link->slot;
  return from;
}

Json Walk::value(const Node& node, std::string_view input) {
  const Input* found = mark(node, input);
  if (found == nullptr) return nullptr;
  if (!found->link) return found->value;
  const Node* from = graph_.find(found->link->node);
  if (from == nullptr) return nullptr;
  see(*from);
  if (is_constant(from->type)) {
    for (const auto& [name, part] : from->inputs) {
      read_[from->id].insert(name);
      if (!part.link && !part.value.is_null()) return part.value;
    }
  }
  note(NoteKind::NoCounterpart, node, input,
       concat("is computed by ", title(*from), ", which is not run here"));
  return nullptr;
}

double Walk::number(const Node& node, std::string_view input, double fallback) {
  const Json found = value(node, input);
  if (found.is_null()) return fallback;
  if (!found.is_number() || !std::isfinite(found.get<double>())) {
    refuse(node, input, "a number", found);
  }
  return found.get<double>();
}

std::int64_t Walk::whole(const Node& node, std::string_view input, std::int64_t fallback) {
  const Json found = value(node, input);
  if (found.is_null()) return fallback;
  if (found.is_number_integer()) return found.get<std::int64_t>();
  const double number = found.is_number() ? found.get<double>() : NAN;
  if (!(std::abs(number) < 1e15) || number != std::floor(number)) {
    refuse(node, input, "a whole number", found);
  }
  return static_cast<std::int64_t>(number);
}

std::string Walk::text(const Node& node, std::string_view input, const std::string& fallback) {
  const Json found = value(node, input);
  if (found.is_null()) return fallback;
  if (!found.is_string()) refuse(node, input, "a text", found);
  return found.get<std::string>();
}

bool Walk::flag(const Node& node, std::string_view input, bool fallback) {
  const Json found = value(node, input);
  if (found.is_null()) return fallback;
  if (found.is_boolean()) return found.get<bool>();
  if (found == "enable" || found == "disable") return found == "enable";
  refuse(node, input, "true or false", found);
}

void Walk::ignore(const Node& node, std::initializer_list<const char*> inputs) {
  for (const char* input : inputs) read_[node.id].insert(input);
}

void Walk::give_up(const Node& node, const std::string& reason) {
  std::string values;
  for (const auto& [name, input] : node.inputs) {
    if (input.link) continue;
    read_[node.id].insert(name);
    values += concat(values.empty() ? " (" : ", ", name, " = ", shown(input.value));
  }
  out_.note(NoteKind::NoCounterpart, title(node) + values + (values.empty() ? "" : ")"), reason);
}

void Walk::note(NoteKind kind, const Node& node, const std::string& reason) {
  out_.note(kind, title(node), reason);
}

void Walk::note(NoteKind kind, const Node& node, std::string_view input,
                const std::string& reason) {
  out_.note(kind, concat(title(node), ": ", input), reason);
}

std::set<std::string> Walk::upstream(const Node& node) const {
  std::set<std::string> found = {node.id};
  std::vector<const Node*> next = {&node};
  while (!next.empty()) {
    const Node* at = next.back();
    next.pop_back();
    for (const auto& [name, input] : at->inputs) {
      if (!input.link || !found.insert(input.link->node).second) continue;
      if (const Node* from = graph_.find(input.link->node)) next.push_back(from);
    }
  }
  return found;
}

bool Walk::saves_another(const Node& node) const {
  const Input* picture = node.input("images");
  return picture != nullptr && picture->link && !read_.contains(picture->link->node);
}

void Walk::list_the_rest(const Node& end) {
  const std::set<std::string> part = upstream(end);
  for (const auto& [id, node] : graph_.nodes) {
    if (!seen(node)) {
      if (node.type == "SaveImage" && saves_another(node)) {
        note(NoteKind::NoCounterpart, node, "saves another picture; a recipe makes one");
      } else if (is_neutral(node.type)) {
        note(NoteKind::NoEffect, node, "does not change the picture");
      } else if (part.contains(id)) {
        give_up(node, "its part in the picture is lost");
      } else {
        note(NoteKind::NoEffect, node, "does not lead to the picture that is translated");
      }
      continue;
    }
    for (const auto& [name, input] : node.inputs) {
      if (read_.at(id).contains(name)) continue;
      note(NoteKind::NoCounterpart, node, name,
           input.link ? concat("what node ", input.link->node, " gives here is left out")
                      : concat("= ", shown(input.value), " is left out"));
    }
  }
}

}  // namespace affiche::recipes
