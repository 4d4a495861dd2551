// SPDX-License-Identifier: Apache-2.0
#include "cards/template_layers.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/suggest.h"
#include "cards/svg.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

// One value of a fixed set of words.
template <typename T>
T choice(TomlReader& reader, std::string_view key, const std::string& fallback,
         const std::vector<std::pair<std::string, T>>& words) {
  const std::string value = reader.text(key, fallback);
  std::vector<std::string> known;
  for (const auto& [word, meaning] : words) {
    if (word == value) return meaning;
    known.push_back(word);
  }
  reader.refuse(key, "unknown value \"" + value + "\"" + suggestion(value, known));
}

double ranged(TomlReader& reader, std::string_view key, double fallback, double low, double high) {
  const double value = reader.number(key, fallback);
  if (!(value >= low && value <= high)) {
    reader.refuse(key, concat("expected ", low, " to ", high, ", found ", value));
  }
  return value;
}

Align read_align(TomlReader& reader) {
  return choice<Align>(reader, "align", "start",
                       {{"start", Align::Start}, {"center", Align::Centre}, {"end", Align::End}});
}

Paint read_paint(TomlReader& reader, std::string_view key, const std::string& fallback,
                 const Template& card) {
  const std::string text = reader.text(key, fallback);
  Paint paint;
  if (parse_hex(text, paint.literal)) return paint;
  const std::size_t dot = text.find('.');
  const std::size_t slash = text.find('/');
  const std::string scope = text.substr(0, dot);
  if (dot == std::string::npos || (scope != "brand" && scope != "var")) {
    reader.refuse(key,
                  "expected #RRGGBB, #RRGGBBAA, brand.NAME or var.NAME, found \"" + text + "\"");
  }
  paint.source = scope == "brand" ? Paint::Source::Brand : Paint::Source::Variable;
  paint.name = text.substr(dot + 1, slash == std::string::npos ? slash : slash - dot - 1);
  if (slash != std::string::npos) {
    char* end = nullptr;
    paint.alpha = std::strtod(text.c_str() + slash + 1, &end);
    if (end == text.c_str() + slash + 1 || *end != '\0' ||
        !(paint.alpha >= 0 && paint.alpha <= 1)) {
      reader.refuse(key, "expected an alpha of 0 to 1 after the slash, found \"" + text + "\"");
    }
  }
  if (paint.source == Paint::Source::Variable) {
    const auto found = card.variables.find(paint.name);
    if (found == card.variables.end() || found->second.type != Variable::Type::Colour) {
      reader.refuse(key, "no colour variable \"" + paint.name + "\"");
    }
  }
  return paint;
}

Mask read_mask(TomlReader& parent, LayerScope& scope) {
  Mask mask;
  const toml::table* table = parent.table("mask");
  if (table == nullptr) return mask;
  TomlReader reader = parent.child("mask", *table);
  if (reader.has("svg")) {
    mask.shape = Mask::Shape::Svg;
    mask.svg = read_svg(reader, "svg", reader.text("svg"), scope);
  } else {
    mask.shape = choice<Mask::Shape>(reader, "shape", "",
                                     {{"rounded", Mask::Shape::Rounded},
                                      {"ellipse", Mask::Shape::Ellipse},
                                      {"slanted", Mask::Shape::Slanted}});
    if (mask.shape == Mask::Shape::Rounded) mask.radius = ranged(reader, "radius", 24, 0, 4096);
    if (mask.shape == Mask::Shape::Slanted) mask.slant = ranged(reader, "slant", 80, -4096, 4096);
  }
  reader.finish();
  return mask;
}

TextStyle read_style(TomlReader& reader, const Template& card) {
  TextStyle style;
  style.font = reader.text("font", "body");
  style.colour = read_paint(reader, "colour", "#FFFFFF", card);
  if (reader.has("size")) {
    style.max_size = style.min_size = ranged(reader, "size", 32, 6, 600);
  } else {
    style.max_size = ranged(reader, "max_size", 32, 6, 600);
    style.min_size = ranged(reader, "min_size", style.max_size, 6, style.max_size);
  }
  style.lines = static_cast<int>(reader.integer("lines", 1));
  if (style.lines < 1 || style.lines > 20) reader.refuse("lines", "expected 1 to 20");
  style.line_height = ranged(reader, "line_height", 1.2, 0.8, 3);
  style.letter_spacing = ranged(reader, "letter_spacing", 0, -0.2, 1);
  style.uppercase = reader.flag("uppercase", false);
  style.balance = reader.flag("balance", false);
  style.align = read_align(reader);
  return style;
}

std::array<double, 2> read_point(TomlReader& reader, std::string_view key) {
  const std::vector<double> point = reader.numbers(key);
  if (point.empty()) return {0.5, 0.5};
  if (point.size() != 2 || !(point[0] >= 0 && point[0] <= 1 && point[1] >= 0 && point[1] <= 1)) {
    reader.refuse(key, "expected two numbers from 0 to 1");
  }
  return {point[0], point[1]};
}

GeneratedLayer read_generated(TomlReader& reader, LayerScope& scope) {
  GeneratedLayer layer;
  layer.source = reader.text("source");
  layer.mask = read_mask(reader, scope);
  layer.grain = ranged(reader, "grain", 1, 0, 20);
  layer.zoom = ranged(reader, "zoom", 1, 1, 8);
  layer.focus = read_point(reader, "focus");
  layer.optional = reader.flag("optional", false);
  return layer;
}

GradientLayer read_gradient(TomlReader& reader, LayerScope& scope) {
  GradientLayer layer;
  layer.angle = ranged(reader, "angle", 90, -360, 360);
  double last = 0;
  for (const toml::table* table : reader.tables("stops")) {
    TomlReader stop = reader.child("stops", *table);
    layer.stops.push_back(
        {ranged(stop, "at", 0, last, 1), read_paint(stop, "colour", "#000000", scope.card)});
    last = layer.stops.back().at;
    stop.finish();
  }
  if (layer.stops.size() < 2) reader.refuse("stops", "expected at least two stops");
  layer.mask = read_mask(reader, scope);
  return layer;
}

PhotoLayer read_photo(TomlReader& reader, LayerScope& scope) {
  PhotoLayer layer;
  layer.mask = read_mask(reader, scope);
  layer.focus = choice<PhotoLayer::Focus>(reader, "focus", "attention",
                                          {{"attention", PhotoLayer::Focus::Attention},
                                           {"entropy", PhotoLayer::Focus::Entropy},
                                           {"center", PhotoLayer::Focus::Centre},
                                           {"point", PhotoLayer::Focus::Point}});
  if (reader.has("point") != (layer.focus == PhotoLayer::Focus::Point)) {
    reader.refuse("point", "expected together with focus = \"point\"");
  }
  layer.point = read_point(reader, "point");
  return layer;
}

TextLayer read_text_layer(TomlReader& reader, LayerScope& scope) {
  TextLayer layer;
  layer.content = reader.texts("content");
  if (layer.content.empty()) reader.refuse("content", "expected an array of strings");
  for (const std::string& part : layer.content) {
    for (const std::string& name : places(part, reader.what())) {
      std::vector<std::string> known = {"brand.publisher"};
      for (const auto& [variable, details] : scope.card.variables) known.push_back(variable);
      if (std::find(known.begin(), known.end(), name) == known.end()) {
        reader.refuse("content", "unknown variable \"" + name + "\"" + suggestion(name, known));
      }
    }
  }
  layer.joint = reader.text("joint", layer.joint);
  layer.style = read_style(reader, scope.card);
  layer.style.ellipsis = reader.flag("ellipsis", false);
  layer.stack = reader.text("stack", "");
  layer.gap = ranged(reader, "gap", 0, 0, 4096);
  const auto& stacks = scope.card.stacks;
  if (!layer.stack.empty() && std::none_of(stacks.begin(), stacks.end(), [&](const Stack& stack) {
        return stack.name == layer.stack;
      })) {
    reader.refuse("stack", "no stack \"" + layer.stack + "\"; add it under [[stacks]]");
  }
  if (layer.stack.empty() == !reader.has("box")) {
    reader.refuse("content", "expected either stack or box");
  }
  return layer;
}

ScrimLayer read_scrim(TomlReader& reader, LayerScope& scope) {
  ScrimLayer layer;
  layer.colour = read_paint(reader, "colour", "#000000", scope.card);
  layer.max_opacity = ranged(reader, "max_opacity", 0.9, 0, 1);
  layer.contrast = ranged(reader, "contrast", 0, 0, 21);
  layer.angle = ranged(reader, "angle", 90, -360, 360);
  layer.solid = ranged(reader, "solid", 0.5, 0, 1);
  layer.under = reader.texts("under");
  return layer;
}

CreditLayer read_credit(TomlReader& reader, LayerScope& scope) {
  CreditLayer layer;
  layer.style = read_style(reader, scope.card);
  layer.ai_note = reader.text("ai_note", "");
  return layer;
}

std::string read_when(TomlReader& reader, const Template& card) {
  std::string when = reader.text("when", "");
  if (when.empty() || when == "photo" || when == "no_photo") return when;
  const std::size_t colon = when.find(':');
  const std::string word = when.substr(0, colon);
  if (colon == std::string::npos || (word != "set" && word != "unset") ||
      !card.variables.contains(when.substr(colon + 1))) {
    reader.refuse(
        "when", "expected photo, no_photo, set:VARIABLE or unset:VARIABLE, found \"" + when + "\"");
  }
  return when;
}

}  // namespace

Box read_box(TomlReader& reader, std::string_view key, const Template& card) {
  const std::vector<double> numbers = reader.numbers(key);
  if (numbers.size() != 4) reader.refuse(key, "expected [x, y, width, height]");
  const Box box = {numbers[0], numbers[1], numbers[2], numbers[3]};
  if (!(box.width >= 1) || !(box.height >= 1) || !(box.x >= 0) || !(box.y >= 0) ||
      !(box.right() <= card.width) || !(box.bottom() <= card.height)) {
    reader.refuse(key, concat("expected a box inside the canvas of ", card.width, "x", card.height,
                              ", found ", box.x, ", ", box.y, ", ", box.width, ", ", box.height));
  }
  return box;
}

std::string read_svg(const TomlReader& reader, std::string_view key, const std::string& file,
                     LayerScope& scope) {
  const std::filesystem::path path = scope.folder / file;
  if (path.extension() != ".svg")
    reader.refuse(key, "expected a .svg file, found \"" + file + "\"");
  std::string svg;
  try {
    svg = read_text(path, std::size_t{1} << 20);
    check_svg(svg, path.string());
  } catch (const Error& error) {
    reader.refuse(key, error.what());
  }
  scope.assets += concat(file, "\n", svg.size(), "\n", svg);
  return svg;
}

Layer read_layer(TomlReader& reader, LayerScope& scope) {
  Layer layer;
  const std::string kind = reader.text("kind");
  layer.name = reader.text("name", kind);
  layer.when = read_when(reader, scope.card);
  layer.opacity = ranged(reader, "opacity", 1, 0, 1);
  layer.box = {0, 0, static_cast<double>(scope.card.width), static_cast<double>(scope.card.height)};
  if (reader.has("box")) layer.box = read_box(reader, "box", scope.card);
  if (reader.has("box_no_photo")) layer.box_no_photo = read_box(reader, "box_no_photo", scope.card);
  if (kind == "generated") {
    layer.content = read_generated(reader, scope);
  } else if (kind == "solid") {
    SolidLayer solid;
    solid.colour = read_paint(reader, "colour", "#000000", scope.card);
    solid.mask = read_mask(reader, scope);
    layer.content = std::move(solid);
  } else if (kind == "gradient") {
    layer.content = read_gradient(reader, scope);
  } else if (kind == "photo") {
    layer.content = read_photo(reader, scope);
  } else if (kind == "svg") {
    layer.content = SvgLayer{read_svg(reader, "file", reader.text("file"), scope)};
  } else if (kind == "text") {
    layer.content = read_text_layer(reader, scope);
  } else if (kind == "logo") {
    layer.content = LogoLayer{read_align(reader)};
  } else if (kind == "scrim") {
    layer.content = read_scrim(reader, scope);
  } else if (kind == "credit") {
    layer.content = read_credit(reader, scope);
  } else {
    const std::vector<std::string> kinds = {"generated", "solid", "gradient", "photo", "svg",
                                            "text",      "logo",  "scrim",    "credit"};
    reader.refuse("kind", "unknown kind \"" + kind + "\"" + suggestion(kind, kinds));
  }
  reader.finish();
  return layer;
}

}  // namespace affiche::cards
