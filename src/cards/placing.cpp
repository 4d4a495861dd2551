// SPDX-License-Identifier: Apache-2.0
#include "cards/placing.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "cards/language.h"
#include "cards/parts.h"
#include "cards/svg.h"
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

// A single text stands in the middle of its box.
PlacedText place_in_box(const CardJob& job, const Layer& layer,
                        const std::vector<std::string>& parts) {
  const auto& content = std::get<TextLayer>(layer.content);
  TextRequest request = request_for(job, layer, content.style);
  const Box box = job.box(layer);
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

// "Photo: NAME /", "SOURCE", "LICENCE", "CHANGES": no line ends in the middle of a name that has
// room on a line of its own. Parts that a line holds whole stay whole; a longer one breaks between
// its words.
std::vector<Part> credit_parts(const TextRequest& request, const std::string& credit_text) {
  std::vector<Part> parts;
  for (const std::string& stretch : split(clean_text(credit_text, request.what), " · ")) {
    if (!parts.empty()) {
      parts.push_back({stretch, " · ", ""});
      continue;
    }
    for (const std::string& name : split(stretch, " / ")) parts.push_back({name, " / ", " /"});
  }
  TextRequest line = request;
  line.style.lines = 1;
  line.style.max_size = request.style.min_size;
  line.breaks = false;
  for (Part& part : parts) {
    if (part.joint == " / ") continue;  // names: the last resort is to break inside of them
    line.text = unbroken(part.text);
    if (try_fit_text(line)) part.text = line.text;
  }
  return parts;
}

PlacedText place_credit(const CardJob& job, const Layer& layer, const std::string& credit_text) {
  const auto& content = std::get<CreditLayer>(layer.content);
  TextRequest request = request_for(job, layer, content.style);
  request.credit = true;
  // A template that asks for a smaller credit gets the smallest that can be read.
  const double cap = font_facts(request.font, request.font_folder).cap_height;
  const double least = std::ceil(kCreditCapHeight * scale(job) / cap * 2) / 2;
  request.style.min_size = std::max(request.style.min_size, least);
  request.style.max_size = std::max(request.style.max_size, request.style.min_size);
  const Box box = job.box(layer);
  request.width = box.width;
  request.height = box.height;
  FittedText text = fit_parts(request, credit_parts(request, credit_text));
  // On the foot of the box, so that a second line grows upwards.
  PlacedText result = placed(job, layer, request.style, std::move(text), box.x, 0);
  result.y = box.bottom() - result.text.height();
  result.credit = true;
  result.needed_contrast = 4.5;
  return result;
}

// The layer's own language, else the job's.
std::string language_of(const CardJob& job, const TextStyle& style) {
  if (style.language.empty()) return job.language;
  if (!style.language.starts_with("{{")) return style.language;
  const std::string name = style.language.substr(2, style.language.size() - 4);
  const std::string& value = job.values.at(name);
  return value.empty() ? job.language : checked_language(value, "variable \"" + name + "\"");
}

Font font_of(const CardJob& job, const TextStyle& style) {
  Font font = job.brand.font(style.font);
  if (style.weight != 0) font.weight = style.weight;
  if (style.font_width != 0) font.width = style.font_width;
  font.italic = style.italic.value_or(font.italic);
  font.small_caps = style.small_caps.value_or(font.small_caps);
  font.features.insert(font.features.end(), style.features.begin(), style.features.end());
  return font;
}

// By the script of the first letter; nothing for a text without letters.
std::optional<bool> begins_right_to_left(const std::string& text) {
  for (const gchar* at = text.c_str(); *at != '\0'; at = g_utf8_next_char(at)) {
    const gunichar letter = g_utf8_get_char(at);
    if (!g_unichar_isalpha(letter)) continue;
    switch (g_unichar_get_script(letter)) {
      case G_UNICODE_SCRIPT_ARABIC:
      case G_UNICODE_SCRIPT_HEBREW:
      case G_UNICODE_SCRIPT_SYRIAC:
      case G_UNICODE_SCRIPT_THAANA:
      case G_UNICODE_SCRIPT_NKO:
        return true;
      default:
        return false;
    }
  }
  return std::nullopt;
}

}  // namespace

TextRequest request_for(const CardJob& job, const Layer& layer, const TextStyle& style) {
  TextRequest request;
  request.style = style;
  request.font = font_of(job, style);
  request.font_folder = job.brand.font_folder;
  request.language = language_of(job, style);
  request.what = job.what(layer);
  if (job.card.mirror) request.right_to_left = job.right_to_left;
  if (style.rich) request.accent = resolve(style.accent, job.brand, job.values);
  const std::string& family = font_facts(request.font, request.font_folder).family;
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
  if (style.decorative) result.needed_contrast = 1;
  return result;
}

bool reads_right_to_left(const CardJob& job) {
  if (!job.language.empty()) return is_right_to_left(job.language);
  for (const bool required : {true, false}) {
    for (const auto& [name, variable] : job.card.variables) {
      const bool words =
          variable.type == Variable::Type::Text || variable.type == Variable::Type::List;
      if (!words || variable.required != required) continue;
      const std::string& value = job.values.at(name);
      const std::optional<bool> found = begins_right_to_left(value);
      if (found) return *found;
    }
  }
  return false;
}

Box block_box(const PlacedText& text) {
  const Box ink = text.text.ink();
  return {text.x + ink.x, text.y, ink.width, text.text.height()};
}

bool is_empty(const CardJob& job, const Layer& layer) {
  if (std::holds_alternative<LogoLayer>(layer.content)) return job.brand.logo.empty();
  if (const auto* code = std::get_if<QrLayer>(&layer.content)) {
    return fill(std::vector<std::string>{code->content}, job.values, job.brand).empty();
  }
  const auto* chart = std::get_if<ChartLayer>(&layer.content);
  return chart != nullptr && job.values.at(chart->values).empty();
}

std::optional<Box> Placement::box(const CardJob& job, const Layer& layer) const {
  const bool in_flow = !layer.stack.empty() || !layer.around.empty();
  if (!in_flow) return job.box(layer);
  const auto found = boxes.find(layer.around.empty() ? layer.name : layer.around);
  if (found == boxes.end()) return std::nullopt;
  if (layer.around.empty()) return found->second;
  const auto [top, right, bottom, left] = layer.padding;
  const bool swap = job.mirrored() && layer.mirror;
  Box box = found->second;
  box.x -= swap ? right : left;
  box.y -= top;
  box.width += left + right;
  box.height += top + bottom;
  if (box.width < 1 || box.height < 1) return std::nullopt;
  return box;
}

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

Box logo_box(const CardJob& job, const Layer& layer) {
  const Box box = job.box(layer);
  const double aspect = svg_aspect(job.brand.logo, "logo of brand \"" + job.brand.name + "\"");
  const double width = std::min(box.width, box.height * aspect);
  const double height = width / aspect;
  const Align align = std::get<LogoLayer>(layer.content).align;
  double share = align == Align::Start ? 0 : align == Align::Centre ? 0.5 : 1;
  if (job.mirrored() && layer.mirror) share = 1 - share;
  return {box.x + (box.width - width) * share, box.y + (box.height - height) / 2, width, height};
}

Placement place_layers(const CardJob& job, const std::string& credit_text) {
  Placement placement;
  place_stacks(job, placement);
  const auto add = [&](const Layer& layer, PlacedText&& text) {
    placement.boxes.emplace(layer.name, block_box(text));
    placement.texts.emplace(layer.name, std::move(text));
  };
  for (const Layer* layer : job.layers) {
    if (std::holds_alternative<CreditLayer>(layer->content) && !credit_text.empty()) {
      add(*layer, place_credit(job, *layer, credit_text));
    }
    if (std::holds_alternative<LogoLayer>(layer->content) && layer->stack.empty() &&
        !is_empty(job, *layer)) {
      const bool host = std::any_of(job.layers.begin(), job.layers.end(), [&](const Layer* other) {
        return other->around == layer->name;
      });
      placement.boxes.emplace(layer->name, host ? logo_box(job, *layer) : job.box(*layer));
    }
    const auto* content = std::get_if<TextLayer>(&layer->content);
    if (content == nullptr || !layer->stack.empty()) continue;
    const std::vector<std::string> parts = fill(content->content, job.values, job.brand);
    if (!parts.empty()) add(*layer, place_in_box(job, *layer, parts));
  }
  return placement;
}

}  // namespace affiche::cards
