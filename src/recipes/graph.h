// SPDX-License-Identifier: Apache-2.0
// A ComfyUI workflow as nodes with named inputs, whichever of the two notations it came in:
//
//   API  {"3": {"class_type": "KSampler", "inputs": {"seed": 1, "model": ["4", 0]}}}
//   UI   {"nodes": [{"id": 3, "type": "KSampler", "widgets_values": [1, "fixed", 20, …],
//         "inputs": [{"name": "model", "link": 1}]}], "links": [[1, 4, 0, 3, 0, "MODEL"]]}
//
// In the UI's notation values have no names: a table gives them to the classes that we know.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

namespace affiche::recipes {

struct Link {
  std::string node;
  int slot = 0;
};

struct Input {
  nlohmann::ordered_json value;  // null when it is a link
  std::optional<Link> link;
};

struct Node {
  std::string id;
  std::string type;
  std::vector<std::pair<std::string, Input>> inputs;  // in order
  const Input* input(std::string_view name) const;
};

struct Graph {
  std::map<std::string, Node> nodes;
  // What was passed over while reading: muted and bypassed nodes.
  std::vector<std::pair<std::string, std::string>> asides;  // node, reason

  const Node* find(const std::string& id) const;
};

// "node 5 KSampler"
std::string title(const Node& node);

bool is_api_workflow(const nlohmann::ordered_json& json);
bool is_ui_workflow(const nlohmann::ordered_json& json);

// BadInput, naming `what` and the node, for other shapes, links to nothing, more than 10,000 nodes.
Graph read_graph(const nlohmann::ordered_json& workflow, const std::string& what);

}  // namespace affiche::recipes
