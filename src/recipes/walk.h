// SPDX-License-Identifier: Apache-2.0
// Reading a ComfyUI graph from its end, keeping account of every node and input that was read, so
// that the rest can be listed.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "recipes/graph.h"
#include "recipes/import.h"

namespace affiche::recipes {

class Walk {
 public:
  // BadInput when the graph goes in circles. References stay with the caller.
  Walk(const Graph& graph, std::string what, Imported& out);

  const Graph& graph() const { return graph_; }
  // Who feeds this input; marks it read. nullptr when nothing is linked.
  const Node* source(const Node& node, std::string_view input, int* slot = nullptr);
  // The value of an input, of a Primitive… node too; null when missing or computed by other nodes,
  // which is noted. BadInput for values of another type.
  nlohmann::ordered_json value(const Node& node, std::string_view input);
  double number(const Node& node, std::string_view input, double fallback);
  std::int64_t whole(const Node& node, std::string_view input, std::int64_t fallback);
  std::string text(const Node& node, std::string_view input, const std::string& fallback = "");
  bool flag(const Node& node, std::string_view input, bool fallback);
  // Inputs that are read but change nothing.
  void ignore(const Node& node, std::initializer_list<const char*> inputs);
  // A node whose work has no counterpart: one note with all its values; its links stay unread.
  void give_up(const Node& node, const std::string& reason);
  void note(NoteKind kind, const Node& node, const std::string& reason);
  void note(NoteKind kind, const Node& node, std::string_view input, const std::string& reason);

  bool seen(const Node& node) const { return read_.contains(node.id); }
  void see(const Node& node) { read_[node.id]; }
  // Everything that leads to this node, itself too.
  std::set<std::string> upstream(const Node& node) const;
  // Notes for all that was not read.
  void list_the_rest(const Node& end);

 private:
  void refuse_circles() const;
  // The picture that it saves is not the one that was followed.
  bool saves_another(const Node& node) const;
  const Input* mark(const Node& node, std::string_view input);
  [[noreturn]] void refuse(const Node& node, std::string_view input, const char* expected,
                           const nlohmann::ordered_json& found) const;

  const Graph& graph_;
  std::string what_;
  Imported& out_;
  std::map<std::string, std::set<std::string, std::less<>>> read_;
};

// A short rendering for notes: at most 80 bytes of JSON.
std::string shown(const nlohmann::ordered_json& value);

}  // namespace affiche::recipes
