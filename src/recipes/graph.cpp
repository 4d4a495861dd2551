// SPDX-License-Identifier: Apache-2.0
#include "recipes/graph.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/json.h"
#include "recipes/widgets.h"

namespace affiche::recipes {
namespace {

constexpr std::size_t kMostNodes = 10'000;
constexpr int kMuted = 2, kBypassed = 4;
constexpr int kLongestDetour = 100;  // bypassed nodes and reroutes in a row

std::string id_text(const Json& id, const std::string& what) {
  if (id.is_string()) return id.get<std::string>();
  if (id.is_number_integer()) return id.dump();
  fail(Cause::BadInput, what, ": expected a node's id, found ", id.dump().substr(0, 80));
}

std::string text_of(const Json& json, const char* key) {
  const auto found = json.find(key);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

Graph read_api(const Json& workflow, const std::string& what) {
  Graph graph;
  for (const auto& [id, json] : workflow.items()) {
    if (!json.is_object() || !json.contains("class_type")) {
      fail(Cause::BadInput, what, ": node \"", id, "\": expected \"class_type\" and \"inputs\"");
    }
    Node node{id, text_of(json, "class_type"), {}};
    const auto inputs = json.find("inputs");
    if (inputs != json.end() && inputs->is_object()) {
      for (const auto& [name, value] : inputs->items()) {
        const bool link = value.is_array() && value.size() == 2 &&
                          (value[0].is_string() || value[0].is_number_integer()) &&
                          value[1].is_number_integer() &&
                          workflow.contains(id_text(value[0], what));
        if (value.is_array() && value.size() == 2 && value[0].is_string() &&
            value[1].is_number_integer() && !link) {
          fail(Cause::BadInput, what, ": ", title(node), ": input \"", name,
               "\": expected a link to a node of the workflow, found node ", value[0].dump());
        }
        node.inputs.emplace_back(
            name, link ? Input{nullptr, Link{id_text(value[0], what), value[1].get<int>()}}
                       : Input{value, std::nullopt});
      }
    }
    graph.nodes.emplace(id, std::move(node));
  }
  return graph;
}

struct UiLink {
  std::string node;  // where it comes from
  int slot = 0;
  std::string type;
};

class UiReader {
 public:
  UiReader(const Json& workflow, const std::string& what) : workflow_(workflow), what_(what) {}

  Graph read() {
    read_links();
    for (const Json& node : workflow_.at("nodes")) {
      if (!node.is_object() || !node.contains("id") || text_of(node, "type").empty()) {
        fail(Cause::BadInput, what_, ": a node without \"id\" or \"type\"");
      }
      const std::string id = id_text(node.at("id"), what_);
      if (!nodes_.emplace(id, &node).second) {
        fail(Cause::BadInput, what_, ": two nodes have the id ", id);
      }
    }
    for (const auto& [id, json] : nodes_) add(id, *json);
    return std::move(graph_);
  }

 private:
  static int mode(const Json& node) {
    const auto found = node.find("mode");
    return found != node.end() && found->is_number_integer() ? found->get<int>() : 0;
  }

  // Lists [id, from, slot, to, slot, type], or objects in newer files.
  void read_links() {
    const auto links = workflow_.find("links");
    if (links == workflow_.end() || !links->is_array()) return;
    for (const Json& link : *links) {
      if (link.is_array() && link.size() >= 5 && link[2].is_number_integer()) {
        links_[link[0].dump()] = {
            id_text(link[1], what_), link[2].get<int>(),
            link.size() > 5 && link[5].is_string() ? link[5].get<std::string>() : std::string()};
      } else if (link.is_object() && link.contains("id") && link.contains("origin_id") &&
                 link.contains("origin_slot") && link.at("origin_slot").is_number_integer()) {
        links_[link.at("id").dump()] = {id_text(link.at("origin_id"), what_),
                                        link.at("origin_slot").get<int>(), text_of(link, "type")};
      } else {
        fail(Cause::BadInput, what_,
             ": a link is not [id, node, slot, node, slot, type]: ", link.dump().substr(0, 80));
      }
    }
  }

  // Where a link really comes from: through reroutes and bypassed nodes. None: it is not connected.
  std::optional<Link> origin(const std::string& link_id, const std::string& owner) {
    std::string id = link_id;
    for (int i = 0; i < kLongestDetour; ++i) {
      const auto link = links_.find(id);
      if (link == links_.end()) return std::nullopt;
      const auto node = nodes_.find(link->second.node);
      if (node == nodes_.end()) {
        fail(Cause::BadInput, what_, ": node ", owner, ": linked to node ", link->second.node,
             ", which is not there");
      }
      const Json& json = *node->second;
      const bool reroute = text_of(json, "type") == "Reroute";
      if (mode(json) == kMuted) return std::nullopt;
      if (!reroute && mode(json) != kBypassed) {
        return Link{link->second.node, link->second.slot};
      }
      const std::optional<std::string> before = passed_through(json, link->second.type, reroute);
      if (!before) return std::nullopt;
      id = *before;
    }
    fail(Cause::BadInput, what_, ": node ", owner, ": its input goes in a circle");
  }

  // The link of a bypassed node's first input of the same type.
  static std::optional<std::string> passed_through(const Json& node, const std::string& type,
                                                   bool reroute) {
    const auto inputs = node.find("inputs");
    if (inputs == node.end() || !inputs->is_array()) return std::nullopt;
    for (const Json& input : *inputs) {
      if (!input.is_object() || !input.contains("link") || input.at("link").is_null()) continue;
      if (reroute || text_of(input, "type") == type) return input.at("link").dump();
    }
    return std::nullopt;
  }

  void add(const std::string& id, const Json& json) {
    Node node{id, text_of(json, "type"), {}};
    if (mode(json) == kMuted || mode(json) == kBypassed) {
      graph_.asides.emplace_back(title(node), mode(json) == kMuted ? "is muted in the workflow"
                                                                   : "is bypassed in the workflow");
      return;
    }
    if (node.type == "Reroute" || node.type == "PrimitiveNode") return;
    add_widgets(node, json);
    const auto inputs = json.find("inputs");
    if (inputs != json.end() && inputs->is_array()) {
      for (const Json& input : *inputs) add_link(node, input);
    }
    graph_.nodes.emplace(id, std::move(node));
  }

  void add_widgets(Node& node, const Json& json) {
    const auto values = json.find("widgets_values");
    if (values == json.end() || values->is_null()) return;
    if (values->is_object()) {
      for (const auto& [name, value] : values->items()) {
        node.inputs.emplace_back(name, Input{value, std::nullopt});
      }
      return;
    }
    if (!values->is_array()) {
      fail(Cause::BadInput, what_, ": ", title(node), ": expected a list of widgets_values");
    }
    const std::vector<std::string>* names = widget_names(node.type);
    for (std::size_t i = 0; i < values->size(); ++i) {
      const bool known = names != nullptr && i < names->size();
      if (known && (*names)[i] == kNoWidget) continue;
      if (known || !(*values)[i].is_null()) {
        node.inputs.emplace_back(known ? (*names)[i] : concat("value ", i + 1),
                                 Input{(*values)[i], std::nullopt});
      }
    }
  }

  // A link takes the place of the widget's own value of that name.
  void add_link(Node& node, const Json& input) {
    if (!input.is_object() || !input.contains("link") || input.at("link").is_null()) return;
    const std::string name = text_of(input, "name");
    const std::optional<Link> link = origin(input.at("link").dump(), node.id);
    Input made{nullptr, link};
    if (link) {
      const Json& from = *nodes_.at(link->node);
      if (text_of(from, "type") == "PrimitiveNode") {
        const auto values = from.find("widgets_values");
        const bool has = values != from.end() && values->is_array() && !values->empty();
        made = {has ? (*values)[0] : Json(), std::nullopt};
      }
    }
    const auto place = std::find_if(node.inputs.begin(), node.inputs.end(),
                                    [&](const auto& each) { return each.first == name; });
    if (place != node.inputs.end()) {
      if (link) place->second = made;
    } else if (link) {
      node.inputs.emplace_back(name, made);
    }
  }

  const Json& workflow_;
  const std::string& what_;
  std::map<std::string, UiLink> links_;
  std::map<std::string, const Json*> nodes_;
  Graph graph_;
};

}  // namespace

const Input* Node::input(std::string_view name) const {
  for (const auto& [known, value] : inputs) {
    if (known == name) return &value;
  }
  return nullptr;
}

const Node* Graph::find(const std::string& id) const {
  const auto found = nodes.find(id);
  return found == nodes.end() ? nullptr : &found->second;
}

std::string title(const Node& node) {
  return concat("node ", node.id, " ", node.type);
}

bool is_api_workflow(const Json& json) {
  if (!json.is_object() || json.empty()) return false;
  return std::any_of(json.begin(), json.end(), [](const Json& node) {
    return node.is_object() && node.contains("class_type");
  });
}

bool is_ui_workflow(const Json& json) {
  return json.is_object() && json.contains("nodes") && json.at("nodes").is_array();
}

Graph read_graph(const Json& workflow, const std::string& what) {
  const bool ui = is_ui_workflow(workflow);
  const std::size_t count = ui ? workflow.at("nodes").size() : workflow.size();
  if (count > kMostNodes) {
    fail(Cause::BadInput, what, ": expected at most ", kMostNodes, " nodes, found ", count);
  }
  return ui ? UiReader(workflow, what).read() : read_api(workflow, what);
}

}  // namespace affiche::recipes
