// SPDX-License-Identifier: Apache-2.0
// Stacks: layers after one another, each pushed on by those before it. What has a size of its own
// keeps it; texts take what width there is and shrink together until the block fits.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "cards/placing.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

// A text, another layer, or an inner stack.
struct Item {
  const Layer* layer = nullptr;
  const Stack* stack = nullptr;
  double gap = 0;  // before it; 0 for the first
  double width = 0;
  double height = 0;
  // Texts.
  std::vector<std::string> parts;
  TextRequest request;
  std::optional<FittedText> text;
  // Inner stacks.
  std::vector<Item> items;
};

void fit(Item& item, double width) {
  item.request.width = std::max(width, 1.0);
  const auto& content = std::get<TextLayer>(item.layer->content);
  item.text = fit_parts(item.request, item.parts, content.joint);
}

bool is_text(const Item& item) {
  return item.layer != nullptr && !item.parts.empty();
}

std::vector<Item> items_of(const CardJob& job, const Stack& stack, double height) {
  std::vector<Item> items;
  const auto add = [&](Item&& item, double gap) {
    item.gap = items.empty() ? 0 : gap >= 0 ? gap : stack.gap;
    items.push_back(std::move(item));
  };
  // Inner stacks stand where the first of their layers stands among the layers.
  std::vector<const Stack*> seen;
  for (const Layer* layer : job.layers) {
    const Stack* own = job.card.find_stack(layer->stack);
    const Stack* inner = nullptr;
    while (own != nullptr && own != &stack) {
      inner = own;
      own = job.card.find_stack(own->stack);
    }
    if (own == nullptr || is_empty(job, *layer)) continue;
    if (inner != nullptr) {
      if (std::find(seen.begin(), seen.end(), inner) != seen.end()) continue;
      seen.push_back(inner);
      Item item;
      item.stack = inner;
      item.items = items_of(job, *inner, height);
      if (!item.items.empty()) add(std::move(item), inner->own_gap);
      continue;
    }
    Item item;
    item.layer = layer;
    item.width = layer->extent[0];
    item.height = layer->extent[1];
    if (const auto* content = std::get_if<TextLayer>(&layer->content)) {
      item.parts = fill(content->content, job.values, job.brand);
      if (item.parts.empty()) continue;
      item.request = request_for(job, *layer, content->style);
      item.request.height = height;
    }
    add(std::move(item), layer->gap);
  }
  return items;
}

void measure(const Stack& stack, std::vector<Item>& items, double width);

void measure_item(Item& item, double width) {
  if (item.stack != nullptr) {
    measure(*item.stack, item.items, width);
    item.width = item.height = 0;
    for (const Item& each : item.items) {
      const double along = item.stack->row ? each.width : each.height;
      const double across = item.stack->row ? each.height : each.width;
      double& sum = item.stack->row ? item.width : item.height;
      double& most = item.stack->row ? item.height : item.width;
      sum += each.gap + along;
      most = std::max(most, across);
    }
  } else if (is_text(item)) {
    fit(item, width);
    item.width = item.text->ink().width;
    item.height = item.text->height();
  }
}

// In a row, what has a fixed width is set aside first; texts share the rest in order.
void measure(const Stack& stack, std::vector<Item>& items, double width) {
  double left = width;
  for (const Item& item : items) {
    if (stack.row) left -= item.gap + (is_text(item) || item.stack != nullptr ? 0 : item.width);
  }
  for (Item& item : items) {
    measure_item(item, stack.row ? left : width);
    if (stack.row && (is_text(item) || item.stack != nullptr)) left -= item.width;
  }
}

double length(const std::vector<Item>& items, bool row) {
  double sum = 0;
  for (const Item& item : items) sum += item.gap + (row ? item.width : item.height);
  return sum;
}

double thickness(const std::vector<Item>& items, bool row) {
  double most = 0;
  for (const Item& item : items) most = std::max(most, row ? item.height : item.width);
  return most;
}

Item* largest_text(std::vector<Item>& items) {
  Item* largest = nullptr;
  for (Item& item : items) {
    Item* found = item.stack != nullptr ? largest_text(item.items) : &item;
    if (found == nullptr || !is_text(*found)) continue;
    if (found->text->size() <= found->request.style.min_size) continue;
    if (largest == nullptr || found->text->size() > largest->text->size()) largest = found;
  }
  return largest;
}

// Makes the largest text that may still shrink smaller. False when none may.
bool shrink_largest(std::vector<Item>& items) {
  Item* largest = largest_text(items);
  if (largest == nullptr) return false;
  TextStyle& style = largest->request.style;
  style.max_size = std::max(style.min_size, std::min(largest->text->size() - 0.5,
                                                     std::floor(largest->text->size() * 0.98)));
  return true;
}

double share(Align align) {
  return align == Align::Start ? 0 : align == Align::Centre ? 0.5 : 1;
}

class Placing {
 public:
  Placing(const CardJob& job, Placement& placement) : job_(job), placement_(placement) {}

  // `box` is where the stack may be, not mirrored; returns the box of its block.
  void place(const Stack& stack, std::vector<Item>& items, const Box& box, bool mirrored) {
    const double room = (stack.row ? box.width : box.height) - length(items, stack.row);
    double at = (stack.row ? box.x : box.y) + room * share(stack.align);
    std::optional<Box> block;
    for (Item& item : items) {
      at += item.gap;
      const double across =
          (stack.row ? box.height - item.height : box.width - item.width) * share(stack.cross);
      const Box own = stack.row ? Box{at, box.y + across, item.width, item.height}
                                : Box{box.x + across, at, item.width, item.height};
      at += stack.row ? item.width : item.height;
      const Box drawn = place_item(stack, item, own, box, mirrored);
      block = block ? united(*block, drawn) : drawn;
    }
    if (block) placement_.boxes.insert_or_assign(stack.name, *block);
  }

 private:
  static Box united(const Box& a, const Box& b) {
    const double x = std::min(a.x, b.x);
    const double y = std::min(a.y, b.y);
    return {x, y, std::max(a.right(), b.right()) - x, std::max(a.bottom(), b.bottom()) - y};
  }

  // Where a text fitted to another width than the box's stands in it.
  static double aligned(const Item& item, double room) {
    const Align align = item.request.style.align;
    if (align == Align::Centre) return room / 2;
    const bool right_to_left = item.request.right_to_left.value_or(item.text->right_to_left());
    return (align == Align::End) != right_to_left ? room : 0;
  }

  Box place_item(const Stack& stack, Item& item, const Box& own, const Box& box, bool mirrored) {
    if (item.stack != nullptr) {
      // An inner column keeps the width of the outer one, so that its texts may align in it.
      const Box inner = stack.row ? own : Box{box.x, own.y, box.width, own.height};
      place(*item.stack, item.items, inner, mirrored);
      return placement_.boxes.at(item.stack->name);
    }
    if (!is_text(item)) {
      const Box final_box = mirrored ? job_.mirror(own) : own;
      placement_.boxes.insert_or_assign(item.layer->name, final_box);
      return final_box;
    }
    // A text's lines are aligned in the width that it was fitted to; in a row its ink is what
    // stands at the place.
    double x = (mirrored ? job_.card.width - box.right() : box.x) +
               aligned(item, box.width - item.request.width);
    if (stack.row) x = (mirrored ? job_.mirror(own) : own).x - item.text->ink().x;
    const auto& style = std::get<TextLayer>(item.layer->content).style;
    PlacedText text = placed(job_, *item.layer, style, std::move(*item.text), x, own.y);
    const Box block = block_box(text);
    placement_.boxes.insert_or_assign(item.layer->name, block);
    placement_.texts.insert_or_assign(item.layer->name, std::move(text));
    return block;
  }

  const CardJob& job_;
  Placement& placement_;
};

void place_stack(const CardJob& job, const Stack& stack, Placement& placement) {
  const Box box = !job.with_photo && stack.box_no_photo ? *stack.box_no_photo : stack.box;
  std::vector<Item> items = items_of(job, stack, box.height);
  if (items.empty()) return;
  constexpr double kRounding = 0.01;
  for (;;) {
    measure(stack, items, box.width);
    const double along = length(items, stack.row);
    const double across = thickness(items, stack.row);
    const double needed_width = stack.row ? along : across;
    const double needed_height = stack.row ? across : along;
    if (needed_height <= box.height + kRounding &&
        (!stack.row || needed_width <= box.width + kRounding)) {
      break;
    }
    if (shrink_largest(items)) continue;
    fail(Cause::BadInput, "template \"", job.card.name, "\", stack \"", stack.name,
         "\": its layers need ", needed_width, "x", needed_height,
         " pixels at their smallest, the box has ", box.width, "x", box.height,
         "; shorten the texts or enlarge the box");
  }
  Placing(job, placement).place(stack, items, box, job.mirrored() && stack.mirror);
}

}  // namespace

void place_stacks(const CardJob& job, Placement& placement) {
  for (const Stack& stack : job.card.stacks) {
    if (stack.stack.empty()) place_stack(job, stack, placement);
  }
}

}  // namespace affiche::cards
