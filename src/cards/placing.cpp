// SPDX-License-Identifier: Apache-2.0
#include "cards/placing.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

// Sizes are stated for a canvas of this width; promises about legibility scale with the canvas.
constexpr double kReferenceWidth = 1200;
constexpr double kCreditCapHeight = 14;
// WCAG's large text (24 px, or 18.7 px bold) where cards are shown: at about half their pixels.
constexpr double kLargeText = 40;

double scale(const CardJob& job) {
  return job.card.width / kReferenceWidth;
}

TextRequest request_for(const CardJob& job, const Layer& layer, const TextStyle& style) {
  TextRequest request;
  request.style = style;
  request.font = job.brand.font(style.font);
  request.font_folder = job.brand.font_folder;
  request.language = job.inputs.language;
  request.what = job.what(layer);
  const GObjectPtr<PangoContext> context = make_text_context(request.font_folder, request.language);
  const std::string family = installed_family(context.get(), request.font);
  if (g_ascii_strcasecmp(family.c_str(), request.font.family.c_str()) != 0) {
    fail(Cause::BadInput, "brand \"", job.brand.name, "\": font family \"", request.font.family,
         "\" is not installed (\"", family, "\" would be used); install it, for Noto ",
         "fonts-noto-core, or put its files into the brand's font_folder");
  }
  return request;
}

PlacedText placed(const CardJob& job, const Layer& layer, const TextStyle& style, FittedText&& text,
                  double x, double y) {
  PlacedText result{std::move(text), x, y, resolve(style.colour, job.brand, job.values),
                    layer.opacity};
  if (result.text.size() >= kLargeText * scale(job)) result.needed_contrast = 3;
  return result;
}

// A single text stands in the middle of its box.
PlacedText place_in_box(const CardJob& job, const Layer& layer,
                        const std::vector<std::string>& parts) {
  const auto& content = std::get<TextLayer>(layer.content);
  TextRequest request = request_for(job, layer, content.style);
  const Box& box = job.box(layer);
  request.width = box.width;
  request.height = box.height;
  FittedText text = fit_parts(request, parts, content.joint);
  const double y = box.y + (box.height - text.height()) / 2;
  return placed(job, layer, request.style, std::move(text), box.x, y);
}

std::vector<std::string> split(const std::string& text, const std::string& joint) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  for (std::size_t at = text.find(joint); at != std::string::npos; at = text.find(joint, from)) {
    parts.push_back(text.substr(from, at - from));
    from = at + joint.size();
  }
  parts.push_back(text.substr(from));
  return parts;
}

// With no-break spaces, and word joiners after hyphens: "CC BY-SA 4.0" stays together.
std::string unbroken(const std::string& text) {
  std::string result;
  for (const char c : text) {
    if (c == ' ') {
      result += "\u00a0";
    } else {
      result += c;
      if (c == '-') result += "\u2060";
    }
  }
  return result;
}

PlacedText place_credit(const CardJob& job, const Layer& layer, const std::string& credit_text) {
  const auto& content = std::get<CreditLayer>(layer.content);
  TextRequest request = request_for(job, layer, content.style);
  request.credit = true;
  // A template that asks for a smaller credit gets the smallest that can be read.
  const GObjectPtr<PangoContext> context = make_text_context(request.font_folder, request.language);
  const double cap = cap_height(context.get(), request.font);
  const double least = std::ceil(kCreditCapHeight * scale(job) / cap * 2) / 2;
  request.style.min_size = std::max(request.style.min_size, least);
  request.style.max_size = std::max(request.style.max_size, request.style.min_size);
  const Box& box = job.box(layer);
  request.width = box.width;
  request.height = box.height;
  const std::string joint = " · ";
  std::vector<std::string> parts = split(clean_text(credit_text, request.what), joint);
  for (std::size_t i = 1; i < parts.size(); ++i) parts[i] = unbroken(parts[i]);
  FittedText text = fit_parts(request, parts, joint);
  // On the foot of the box, so that a second line grows upwards.
  PlacedText result = placed(job, layer, request.style, std::move(text), box.x, 0);
  result.y = box.bottom() - result.text.height();
  result.credit = true;
  result.needed_contrast = 4.5;
  return result;
}

struct StackItem {
  const Layer* layer;
  const TextLayer* content;
  std::vector<std::string> parts;
  TextRequest request;
  FittedText text;
};

double total_height(const std::vector<StackItem>& items) {
  double height = 0;
  for (std::size_t i = 0; i < items.size(); ++i) {
    height += items[i].text.height() + (i > 0 ? items[i].content->gap : 0);
  }
  return height;
}

// Makes the largest text that may still shrink smaller. False when none may.
bool shrink_largest(std::vector<StackItem>& items) {
  StackItem* largest = nullptr;
  for (StackItem& item : items) {
    if (item.text.size() <= item.request.style.min_size) continue;
    if (largest == nullptr || item.text.size() > largest->text.size()) largest = &item;
  }
  if (largest == nullptr) return false;
  TextStyle& style = largest->request.style;
  style.max_size = std::max(style.min_size, std::min(largest->text.size() - 0.5,
                                                     std::floor(largest->text.size() * 0.98)));
  largest->text = fit_parts(largest->request, largest->parts, largest->content->joint);
  return true;
}

void place_stack(const CardJob& job, const Stack& stack,
                 std::map<std::string, PlacedText>& placed_texts) {
  const Box& box = !job.with_photo && stack.box_no_photo ? *stack.box_no_photo : stack.box;
  std::vector<StackItem> items;
  for (const Layer* layer : job.layers) {
    const auto* content = std::get_if<TextLayer>(&layer->content);
    if (content == nullptr || content->stack != stack.name) continue;
    std::vector<std::string> parts = fill(content->content, job.values, job.brand);
    if (parts.empty()) continue;
    TextRequest request = request_for(job, *layer, content->style);
    request.width = box.width;
    request.height = box.height;
    FittedText fitted = fit_parts(request, parts, content->joint);
    items.push_back({layer, content, std::move(parts), std::move(request), std::move(fitted)});
  }
  while (total_height(items) > box.height) {
    if (!shrink_largest(items)) {
      fail(Cause::BadInput, "template \"", job.card.name, "\", stack \"", stack.name,
           "\": the texts need ", total_height(items), " pixels at their smallest, the box has ",
           box.height, "; shorten them or enlarge the box");
    }
  }
  const double room = box.height - total_height(items);
  const double share = stack.align == Align::Start ? 0 : stack.align == Align::Centre ? 0.5 : 1;
  double y = box.y + room * share;
  for (std::size_t i = 0; i < items.size(); ++i) {
    StackItem& item = items[i];
    if (i > 0) y += item.content->gap;
    const double height = item.text.height();
    placed_texts.emplace(item.layer->name, placed(job, *item.layer, item.content->style,
                                                  std::move(item.text), box.x, y));
    y += height;
  }
}

}  // namespace

std::vector<Area> PlacedText::areas() const {
  std::vector<Area> result;
  for (const FittedText::Line& line : text.lines()) {
    if (line.ink.width <= 0) continue;
    const int left = static_cast<int>(std::floor(x + line.ink.x)) - 2;
    const int top = static_cast<int>(std::floor(y + line.ink.y)) - 2;
    const int right = static_cast<int>(std::ceil(x + line.ink.right())) + 2;
    const int bottom = static_cast<int>(std::ceil(y + line.ink.bottom())) + 2;
    result.push_back({left, top, right - left, bottom - top});
  }
  return result;
}

std::map<std::string, PlacedText> place_texts(const CardJob& job, const std::string& credit_text) {
  std::map<std::string, PlacedText> texts;
  for (const Stack& stack : job.card.stacks) place_stack(job, stack, texts);
  for (const Layer* layer : job.layers) {
    if (std::holds_alternative<CreditLayer>(layer->content) && !credit_text.empty()) {
      texts.emplace(layer->name, place_credit(job, *layer, credit_text));
    }
    const auto* content = std::get_if<TextLayer>(&layer->content);
    if (content == nullptr || !content->stack.empty()) continue;
    const std::vector<std::string> parts = fill(content->content, job.values, job.brand);
    if (!parts.empty()) texts.emplace(layer->name, place_in_box(job, *layer, parts));
  }
  return texts;
}

}  // namespace affiche::cards
