// SPDX-License-Identifier: Apache-2.0
#include "cards/template_layers.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/suggest.h"
#include "cards/language.h"
#include "cards/opentype.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

std::array<double, 2> read_pair(const Fields& fields, std::string_view key,
                                std::array<double, 2> otherwise, double low = 0, double high = 1) {
  const std::vector<double> numbers = fields.numbers(key);
  if (numbers.empty()) return otherwise;
  for (const double number : numbers) {
    if (!(number >= low && number <= high)) {
      fields.refuse(key, concat("expected two numbers from ", low, " to ", high));
    }
  }
  return {numbers[0], numbers[1]};
}

// The places in a text must be variables (or the publisher).
void check_places(const Fields& fields, std::string_view key, const std::string& text,
                  const Template& card) {
  std::vector<std::string> found;
  try {
    found = places(text, "content");
  } catch (const Error& error) {
    fields.refuse(key, error.what());
  }
  for (const std::string& name : found) {
    std::vector<std::string> known = {"brand.publisher"};
    for (const auto& [variable, details] : card.variables) known.push_back(variable);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      fields.refuse(key, "unknown variable \"" + name + "\"" + suggestion(name, known));
    }
  }
}

// The name of a variable of one of the types; "" when the key is not there.
std::string read_variable_name(const Fields& fields, std::string_view key, const Template& card,
                               Variable::Type type, const char* type_name) {
  const std::string name = fields.text(key);
  if (!fields.has(key)) return name;
  const auto found = card.variables.find(name);
  if (found == card.variables.end() || found->second.type != type) {
    std::vector<std::string> known;
    for (const auto& [variable, details] : card.variables) {
      if (details.type == type) known.push_back(variable);
    }
    fields.refuse(
        key, concat("no variable \"", name, "\" of type ", type_name, suggestion(name, known)));
  }
  return name;
}

// A language tag, or {{variable}}.
std::string read_language(const Fields& fields, const Template& card) {
  const std::string text = fields.text("lang");
  if (text.find("{{") != std::string::npos) {
    check_places(fields, "lang", text, card);
    const std::vector<std::string> names = places(text, "lang");
    if (names.size() == 1 && text == "{{" + names[0] + "}}" && names[0] != "brand.publisher") {
      return text;
    }
    fields.refuse("lang", "expected a language tag or one {{variable}}, found \"" + text + "\"");
  }
  try {
    return checked_language(text, "lang");
  } catch (const Error& error) {
    fields.refuse("lang", error.what());
  }
}

// How the letters look and where words may be parted.
void read_typography(const Fields& fields, TextStyle& style, const Template& card) {
  if (fields.has("weight")) style.weight = fields.integer("weight");
  if (fields.has("width")) style.font_width = fields.number("width");
  if (fields.has("italic")) style.italic = fields.flag("italic");
  if (fields.has("small_caps")) style.small_caps = fields.flag("small_caps");
  style.features = fields.texts("features");
  for (const std::string& feature : style.features) {
    if (is_opentype_feature(feature)) continue;
    fields.refuse("features",
                  "expected names such as \"tnum\" or \"ss01=2\", found \"" + feature + "\"");
  }
  style.hyphens = fields.choice<Hyphens>("hyphens");
  style.language = read_language(fields, card);
}

// Words of a text that are marked as in HTML.
void read_marks(const Fields& fields, TextStyle& style, const Template& card) {
  style.rich = fields.flag("rich");
  if (fields.has("accent") && !style.rich) {
    fields.refuse("accent", "expected together with rich = true");
  }
  style.accent = fields.has("accent") ? read_paint(fields, "accent", card) : style.colour;
}

TextStyle read_style(const Fields& fields, const Template& card) {
  TextStyle style;
  style.font = fields.text("font");
  style.colour = read_paint(fields, "colour", card);
  if (fields.has("size")) {
    style.max_size = style.min_size = fields.number("size");
  } else {
    style.max_size = fields.number("max_size");
    style.min_size = fields.has("min_size") ? fields.number("min_size") : style.max_size;
    if (style.min_size > style.max_size) {
      fields.refuse("min_size", concat("expected at most max_size ", style.max_size, ", found ",
                                       style.min_size));
    }
  }
  style.lines = fields.integer("lines");
  style.line_height = fields.number("line_height");
  style.letter_spacing = fields.number("letter_spacing");
  style.uppercase = fields.flag("uppercase");
  style.balance = fields.flag("balance");
  style.align = fields.choice<Align>("align");
  read_typography(fields, style, card);
  return style;
}

GeneratedLayer read_generated(const Fields& fields, bool drawn) {
  GeneratedLayer layer;
  layer.source = fields.text("source");
  layer.grain = fields.number("grain");
  layer.zoom = fields.number("zoom");
  layer.focus = read_pair(fields, "focus", {0.5, 0.5});
  layer.optional = fields.flag("optional");
  layer.drawn = drawn;
  return layer;
}

GradientLayer read_gradient(const Fields& fields, const Template& card) {
  GradientLayer layer;
  layer.shape = fields.choice<GradientLayer::Shape>("shape");
  layer.angle = fields.number("angle");
  layer.centre = read_pair(fields, "center", {0.5, 0.5}, -2, 3);
  layer.radius = fields.number("reach");
  double last = 0;
  for (const Fields& stop : fields.children("stops")) {
    const double at = stop.number("at");
    if (at < last) stop.refuse("at", concat("expected ", last, " or more: stops go upwards"));
    layer.stops.push_back({at, read_paint(stop, "colour", card)});
    last = at;
  }
  for (const Fields& point : fields.children("points")) {
    layer.points.push_back(
        {read_pair(point, "at", {0.5, 0.5}, -1, 2), read_paint(point, "colour", card)});
  }
  const bool mesh = layer.shape == GradientLayer::Shape::Mesh;
  if (mesh ? layer.points.size() < 2 : layer.stops.size() < 2) {
    fields.refuse(mesh ? "points" : "stops",
                  concat("expected at least two ", mesh ? "points" : "stops"));
  }
  if (layer.points.size() > 16) fields.refuse("points", "expected at most 16");
  if (fields.has(mesh ? "stops" : "points")) {
    fields.refuse(mesh ? "stops" : "points", mesh ? "a mesh has points" : "only a mesh has points");
  }
  return layer;
}

PhotoLayer read_photo(const Fields& fields, const Template& card) {
  PhotoLayer layer;
  layer.fit = fields.choice<PhotoLayer::Fit>("fit");
  layer.focus = fields.choice<PhotoLayer::Focus>("focus");
  if (fields.has("point") != (layer.focus == PhotoLayer::Focus::Point)) {
    fields.refuse("point", "expected together with focus = \"point\"");
  }
  layer.point = read_pair(fields, "point", {0.5, 0.5});
  layer.grade = fields.number("grade");
  if (fields.has("grade_colour")) {
    if (layer.grade == 0) fields.refuse("grade_colour", "expected together with grade above 0");
    layer.grade_colour = read_paint(fields, "grade_colour", card);
  }
  return layer;
}

TextLayer read_text_layer(const Fields& fields, const Template& card) {
  TextLayer layer;
  layer.content = fields.texts("content");
  if (layer.content.empty()) fields.refuse("content", "expected an array of strings, found none");
  for (const std::string& part : layer.content) check_places(fields, "content", part, card);
  layer.joint = fields.text("joint");
  layer.style = read_style(fields, card);
  layer.style.ellipsis = fields.flag("ellipsis");
  read_marks(fields, layer.style, card);
  layer.style.decorative = fields.flag("decorative");
  return layer;
}

ScrimLayer read_scrim(const Fields& fields, const Template& card) {
  ScrimLayer layer;
  layer.colour = read_paint(fields, "colour", card);
  layer.max_opacity = fields.number("max_opacity");
  layer.contrast = fields.number("contrast");
  layer.angle = fields.number("angle");
  layer.solid = fields.number("solid");
  layer.under = fields.texts("under");
  return layer;
}

ShapeLayer read_shape(const Fields& fields, const Template& card) {
  ShapeLayer layer;
  layer.shape = fields.choice<ShapeLayer::Shape>("shape");
  if (fields.has("fill")) layer.fill = read_paint(fields, "fill", card);
  if (fields.has("stroke")) layer.stroke = read_paint(fields, "stroke", card);
  if (!layer.fill && !layer.stroke) fields.refuse("fill", "expected fill, stroke or both");
  layer.stroke_width = fields.number("stroke_width");
  layer.dash = fields.numbers("dash");
  for (const double length : layer.dash) {
    if (!(length >= 0.5 && length <= 4096))
      fields.refuse("dash", "expected lengths of 0.5 to 4096");
  }
  const bool line = layer.shape == ShapeLayer::Shape::Line;
  const bool path = layer.shape == ShapeLayer::Shape::Path;
  layer.from = read_pair(fields, "from", layer.from);
  layer.to = read_pair(fields, "to", layer.to);
  if (!line && (fields.has("from") || fields.has("to"))) {
    fields.refuse(fields.has("from") ? "from" : "to", "belongs to shape = \"line\" only");
  }
  if (line && layer.fill) fields.refuse("fill", "a line has a stroke only");
  layer.path = fields.text("path");
  layer.view = read_pair(fields, "view", layer.view, 0.001, 100'000);
  if (path != fields.has("path") || path != fields.has("view")) {
    fields.refuse("path", "path and view are expected with shape = \"path\", and only there");
  }
  if (layer.path.size() > 20'000 ||
      layer.path.find_first_not_of("MmLlHhVvCcSsQqTtAaZz0123456789+-.,eE \n\t") !=
          std::string::npos) {
    fields.refuse("path", "expected SVG path data of at most 20000 characters");
  }
  layer.radius = fields.number("radius");
  return layer;
}

QrLayer read_qr(const Fields& fields, const Template& card) {
  QrLayer layer;
  layer.content = fields.text("content");
  check_places(fields, "content", layer.content, card);
  layer.level = fields.choice<QrLayer::Level>("level");
  layer.quiet = fields.integer("quiet");
  layer.dark = read_paint(fields, "dark", card);
  layer.light = read_paint(fields, "light", card);
  return layer;
}

ChartLayer read_chart(const Fields& fields, const Template& card) {
  ChartLayer layer;
  layer.shape = fields.choice<ChartLayer::Shape>("shape");
  layer.values = read_variable_name(fields, "values", card, Variable::Type::Numbers, "numbers");
  layer.labels = read_variable_name(fields, "labels", card, Variable::Type::List, "list");
  layer.highlight = read_variable_name(fields, "highlight", card, Variable::Type::Number, "number");
  layer.unit = fields.text("unit");
  check_places(fields, "unit", layer.unit, card);
  layer.colour = read_paint(fields, "bar", card);
  layer.highlight_colour =
      fields.has("highlight_bar") ? read_paint(fields, "highlight_bar", card) : layer.colour;
  layer.gap = fields.number("spacing");
  layer.radius = fields.number("bar_radius");
  layer.style = read_style(fields, card);
  return layer;
}

using Content = decltype(Layer::content);

Content read_content(const Fields& fields, LayerScope& scope, const std::string& kind) {
  const Template& card = scope.card;
  if (kind == "generated" || kind == "drawn") return read_generated(fields, kind == "drawn");
  if (kind == "solid") return SolidLayer{read_paint(fields, "colour", card), {}};
  if (kind == "gradient") return read_gradient(fields, card);
  if (kind == "photo") return read_photo(fields, card);
  if (kind == "svg") return SvgLayer{read_svg(fields, "file", scope)};
  if (kind == "text") return read_text_layer(fields, card);
  if (kind == "logo") return LogoLayer{fields.choice<Align>("align")};
  if (kind == "scrim") return read_scrim(fields, card);
  if (kind == "credit") return CreditLayer{read_style(fields, card), fields.text("ai_note")};
  if (kind == "shape") return read_shape(fields, card);
  if (kind == "qr") return read_qr(fields, card);
  return read_chart(fields, card);
}

// Where the layer stands: in a stack, around another layer, or in a box.
void read_place(const Fields& fields, const LayerScope& scope, Layer& layer) {
  const Template& card = scope.card;
  const bool text = std::holds_alternative<TextLayer>(layer.content);
  layer.stack = fields.text("stack");
  layer.around = fields.text("around");
  if (!layer.stack.empty() && card.find_stack(layer.stack) == nullptr) {
    std::vector<std::string> known;
    for (const Stack& stack : card.stacks) known.push_back(stack.name);
    fields.refuse("stack", "no stack \"" + layer.stack + "\"" + suggestion(layer.stack, known) +
                               "; add it under [[stacks]]");
  }
  const bool box = fields.has("box") || fields.has("inset");
  if (!layer.stack.empty() + !layer.around.empty() + box > 1) {
    fields.refuse(layer.stack.empty() ? "around" : "stack",
                  "expected only one of stack, around, and box or inset");
  }
  if (text && layer.stack.empty() && !box) {
    fields.refuse("content", "expected either stack or box");
  }
  layer.gap = fields.number("gap");
  if (fields.has("gap") && layer.stack.empty()) fields.refuse("gap", "needs a stack");
  layer.padding = read_sides(fields, "padding", card);
  if (fields.has("padding") && layer.around.empty()) fields.refuse("padding", "needs around");
  const std::vector<Length> extent = fields.lengths("extent");
  if (extent.empty() != (layer.stack.empty() || text)) {
    fields.refuse("extent", text ? "a text has its own size"
                                 : "[width, height] is expected in a stack, and only there");
  }
  if (!extent.empty()) {
    const Box& whole = card.find_stack(layer.stack)->box;
    layer.extent = {extent[0].of(whole.width), extent[1].of(whole.height)};
    if (!(layer.extent[0] > 0 && layer.extent[1] > 0))
      fields.refuse("extent", "expected more than 0");
  }
}

// What holds pixels of its own is masked while it is drawn, which needs no picture in between.
void move_mask(Layer& layer) {
  Mask* own = nullptr;
  if (auto* generated = std::get_if<GeneratedLayer>(&layer.content)) own = &generated->mask;
  if (auto* solid = std::get_if<SolidLayer>(&layer.content)) own = &solid->mask;
  if (auto* gradient = std::get_if<GradientLayer>(&layer.content)) own = &gradient->mask;
  if (auto* photo = std::get_if<PhotoLayer>(&layer.content)) own = &photo->mask;
  if (auto* scrim = std::get_if<ScrimLayer>(&layer.content)) own = &scrim->mask;
  if (std::holds_alternative<ShapeLayer>(layer.content)) layer.effects.radius = 0;
  if (own == nullptr) return;
  *own = std::exchange(layer.effects.mask, {});
  if (layer.effects.radius > 0) {
    own->shape = Mask::Shape::Rounded;
    own->radius = std::exchange(layer.effects.radius, 0);
  }
}

// Effects that would break a promise: contrast is measured under letters as they stand, a credit is
// never hidden, and a scrim has no pixels of its own.
void check_effects(const Fields& fields, const Layer& layer) {
  const auto* text = std::get_if<TextLayer>(&layer.content);
  const bool credit = std::holds_alternative<CreditLayer>(layer.content);
  const bool scrim = std::holds_alternative<ScrimLayer>(layer.content);
  const bool words = credit || (text != nullptr && !text->style.decorative);
  if (!words && !scrim) return;
  for (const char* key : {"blend", "mask", "blur", "tint", "duotone", "grain", "radius", "border",
                          "rotate", "shadow"}) {
    const bool allowed = std::string_view(key) == (scrim ? "mask" : "shadow");
    if (!fields.has(key) || allowed) continue;
    fields.refuse(key, scrim ? "a scrim takes opacity, mask and its own keys only"
                             : "words that must be read take opacity and shadow only; an ornament "
                               "(decorative = true) takes all effects");
  }
}

void check_box(const Fields& fields, const Layer& layer, const Template& card) {
  const auto* text = std::get_if<TextLayer>(&layer.content);
  const bool read = (text != nullptr && !text->style.decorative) ||
                    std::holds_alternative<CreditLayer>(layer.content) ||
                    std::holds_alternative<LogoLayer>(layer.content) ||
                    std::holds_alternative<QrLayer>(layer.content) ||
                    std::holds_alternative<ChartLayer>(layer.content);
  const bool photo = std::holds_alternative<PhotoLayer>(layer.content);
  if (!layer.stack.empty() || !layer.around.empty() || !(read || photo)) return;
  need_inside(fields, fields.has("inset") ? "inset" : "box", layer.box, card, read);
  if (layer.box_no_photo) need_inside(fields, "box_no_photo", *layer.box_no_photo, card, read);
}

}  // namespace

Layer read_layer(const Fields& fields, LayerScope& scope) {
  const Template& card = scope.card;
  const std::string kind = fields.text("kind");
  Layer layer;
  layer.name = fields.has("name") ? fields.text("name") : kind;
  layer.when = read_condition(fields, scope);
  layer.opacity = fields.number("opacity");
  layer.mirror = fields.flag("mirror");
  layer.content = read_content(fields, scope, kind);
  layer.effects = read_effects(fields, scope, kind);
  check_effects(fields, layer);
  move_mask(layer);
  read_place(fields, scope, layer);
  const Box whole = {0, 0, static_cast<double>(card.width), static_cast<double>(card.height)};
  layer.box = read_box(fields, card, whole);
  if (fields.has("box_no_photo"))
    layer.box_no_photo = read_box(fields, card, whole, "box_no_photo");
  layer.group = fields.text("group");
  if (!layer.group.empty() && card.find_group(layer.group) == nullptr) {
    std::vector<std::string> known;
    for (const Group& group : card.groups) known.push_back(group.name);
    fields.refuse("group", "no group \"" + layer.group + "\"" + suggestion(layer.group, known) +
                               "; add it under [[groups]]");
  }
  check_box(fields, layer, card);
  const bool in_flow = !layer.stack.empty() || !layer.around.empty();
  if (std::holds_alternative<PhotoLayer>(layer.content) && in_flow) {
    fields.refuse(layer.stack.empty() ? "around" : "stack", "a photo has a box of its own");
  }
  return layer;
}

}  // namespace affiche::cards
