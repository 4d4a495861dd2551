// SPDX-License-Identifier: Apache-2.0
// The parts that layers, stacks and groups share: boxes, colours, masks, effects, assets.
#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/suggest.h"
#include "cards/encode.h"
#include "cards/svg.h"
#include "cards/template_layers.h"

namespace affiche::cards {
namespace {

// The rectangle that percentages and anchors refer to.
Box whole_of(const Fields& fields, const Template& card) {
  const Box canvas = {0, 0, static_cast<double>(card.width), static_cast<double>(card.height)};
  const std::string within = fields.text("within");
  if (within == "canvas") return canvas;
  if (within == "safe") return card.safe;
  if (const Group* group = card.find_group(within)) return group->box;
  std::vector<std::string> known = {"canvas", "safe"};
  for (const Group& group : card.groups) known.push_back(group.name);
  fields.refuse("within", "no group \"" + within + "\"" + suggestion(within, known));
}

std::string shown(const Box& box) {
  return concat(box.x, ", ", box.y, ", ", box.width, ", ", box.height);
}

std::string asset_path(const Fields& fields, std::string_view key, const LayerScope& scope) {
  const std::string file = fields.text(key);
  if (file.empty()) fields.refuse(key, "expected a file name, found \"\"");
  return (scope.folder / file).string();
}

std::array<double, 2> pair_of(const Fields& fields, std::string_view key,
                              std::array<double, 2> otherwise) {
  const std::vector<double> numbers = fields.numbers(key);
  return numbers.size() == 2 ? std::array<double, 2>{numbers[0], numbers[1]} : otherwise;
}

}  // namespace

Box read_box(const Fields& fields, const Template& card, const Box& otherwise,
             std::string_view key) {
  const Box whole = whole_of(fields, card);
  if (key == "box" && fields.has("inset")) {
    if (fields.has("box")) fields.refuse("inset", "expected either box or inset, found both");
    const std::array<double, 4> sides = read_sides(fields, "inset", card);
    const Box box = {whole.x + sides[3], whole.y + sides[0], whole.width - sides[1] - sides[3],
                     whole.height - sides[0] - sides[2]};
    if (!(box.width >= 1 && box.height >= 1)) {
      fields.refuse("inset", "nothing is left of " + shown(whole));
    }
    return box;
  }
  const std::vector<Length> lengths = fields.lengths(key);
  if (lengths.empty()) return fields.text("within") == "canvas" ? otherwise : whole;
  Box box = {lengths[0].of(whole.width), lengths[1].of(whole.height), lengths[2].of(whole.width),
             lengths[3].of(whole.height)};
  // Offsets are measured inwards from the edge that the anchor names.
  const std::string anchor = fields.text("anchor");
  const auto names = [&](const char* edge) { return anchor.find(edge) != std::string::npos; };
  const double free_x = whole.width - box.width;
  const double free_y = whole.height - box.height;
  if (names("right")) {
    box.x = free_x - box.x;
  } else if (!names("left")) {
    box.x += free_x / 2;
  }
  if (names("bottom")) {
    box.y = free_y - box.y;
  } else if (!names("top")) {
    box.y += free_y / 2;
  }
  box.x += whole.x;
  box.y += whole.y;
  if (!(box.width >= 1 && box.height >= 1 && box.width <= 3 * 4096 && box.height <= 3 * 4096 &&
        box.x < card.width && box.y < card.height && box.right() > 0 && box.bottom() > 0)) {
    fields.refuse(key, concat("expected a box inside the canvas of ", card.width, "x", card.height,
                              ", found ", shown(box)));
  }
  return box;
}

void need_inside(const Fields& fields, std::string_view key, const Box& box, const Template& card,
                 bool safe) {
  const Box canvas = {0, 0, static_cast<double>(card.width), static_cast<double>(card.height)};
  const Box& outer = safe ? card.safe : canvas;
  constexpr double kRounding = 0.01;  // of percentages
  if (box.x >= outer.x - kRounding && box.y >= outer.y - kRounding &&
      box.right() <= outer.right() + kRounding && box.bottom() <= outer.bottom() + kRounding) {
    return;
  }
  fields.refuse(key, concat("expected a box inside the ", safe ? "safe zone " : "canvas ",
                            shown(outer), " of size \"", card.size, "\", found ", shown(box)));
}

std::array<double, 4> read_sides(const Fields& fields, std::string_view key, const Template& card) {
  const std::vector<Length> lengths = fields.lengths(key);
  if (lengths.empty()) return {0, 0, 0, 0};
  if (lengths.size() != 1 && lengths.size() != 4) {
    fields.refuse(key, "expected one value or [top, right, bottom, left]");
  }
  std::array<double, 4> sides{};
  for (std::size_t i = 0; i < 4; ++i) {
    sides[i] = lengths[lengths.size() == 1 ? 0 : i].of(i % 2 == 0 ? card.height : card.width);
    if (!(sides[i] >= -4096 && sides[i] <= 4096)) fields.refuse(key, "expected -4096 to 4096");
  }
  return sides;
}

Paint read_paint(const Fields& fields, std::string_view key, const Template& card) {
  const std::string text = fields.text(key);
  Paint paint;
  if (parse_hex(text, paint.literal)) return paint;
  const std::size_t dot = text.find('.');
  const std::size_t slash = text.find('/');
  const std::string scope = text.substr(0, dot);
  if (dot == std::string::npos || (scope != "brand" && scope != "var")) {
    fields.refuse(key,
                  "expected #RRGGBB, #RRGGBBAA, brand.NAME or var.NAME, found \"" + text + "\"");
  }
  paint.source = scope == "brand" ? Paint::Source::Brand : Paint::Source::Variable;
  paint.name = text.substr(dot + 1, slash == std::string::npos ? slash : slash - dot - 1);
  if (slash != std::string::npos) {
    char* end = nullptr;
    paint.alpha = std::strtod(text.c_str() + slash + 1, &end);
    if (end == text.c_str() + slash + 1 || *end != '\0' ||
        !(paint.alpha >= 0 && paint.alpha <= 1)) {
      fields.refuse(key, "expected an alpha of 0 to 1 after the slash, found \"" + text + "\"");
    }
  }
  if (paint.source == Paint::Source::Variable) {
    const auto found = card.variables.find(paint.name);
    if (found == card.variables.end() || found->second.type != Variable::Type::Colour) {
      fields.refuse(key, "no colour variable \"" + paint.name + "\"");
    }
  }
  return paint;
}

Condition read_condition(const Fields& fields, const LayerScope& scope) {
  try {
    return Condition::parse(fields.text("when"), scope.names);
  } catch (const Error& error) {
    fields.refuse("when", error.what());
  }
}

Mask read_mask(const Fields& fields, LayerScope& scope) {
  Mask mask;
  const std::optional<Fields> table = fields.child("mask");
  if (!table) return mask;
  const bool svg = table->has("svg");
  const bool picture = table->has("image");
  if (svg + picture + table->has("shape") != 1) {
    table->refuse(svg ? "svg" : "shape", "expected exactly one of svg, image and shape");
  }
  // In the order of the schema's choices.
  constexpr std::array kShapes = {Mask::Shape::None, Mask::Shape::Rounded, Mask::Shape::Ellipse,
                                  Mask::Shape::Slanted, Mask::Shape::Gradient};
  mask.shape = svg       ? Mask::Shape::Svg
               : picture ? Mask::Shape::Picture
                         : kShapes[static_cast<std::size_t>(table->choice<int>("shape"))];
  if (svg) mask.svg = read_svg(*table, "svg", scope);
  if (picture) mask.picture = read_picture(*table, "image", scope);
  mask.radius = table->number("radius");
  mask.slant = table->number("slant");
  mask.angle = table->number("angle");
  mask.fade = pair_of(*table, "fade", {0, 1});
  if (!(mask.fade[0] >= 0 && mask.fade[0] < mask.fade[1] && mask.fade[1] <= 1)) {
    table->refuse("fade", "expected two rising numbers from 0 to 1");
  }
  mask.invert = table->flag("invert");
  const auto only = [&](const char* key, Mask::Shape shape) {
    if (table->has(key) && mask.shape != shape) {
      table->refuse(key, concat("belongs to shape = \"",
                                shape == Mask::Shape::Rounded   ? "rounded"
                                : shape == Mask::Shape::Slanted ? "slanted"
                                                                : "gradient",
                                "\" only"));
    }
  };
  only("radius", Mask::Shape::Rounded);
  only("slant", Mask::Shape::Slanted);
  only("angle", Mask::Shape::Gradient);
  only("fade", Mask::Shape::Gradient);
  return mask;
}

Effects read_effects(const Fields& fields, LayerScope& scope, const std::string& kind) {
  Effects effects;
  const Template& card = scope.card;
  effects.blend = fields.choice<Blend>("blend");
  effects.mask = read_mask(fields, scope);
  effects.blur = fields.number("blur");
  if (const auto table = fields.child("shadow")) {
    effects.shadow = {table->number("x"), table->number("y"), table->number("blur"),
                      read_paint(*table, "colour", card)};
  }
  if (const auto table = fields.child("tint")) {
    effects.tint = {read_paint(*table, "colour", card), table->number("amount")};
  }
  if (const auto table = fields.child("duotone")) {
    effects.duotone = {read_paint(*table, "dark", card), read_paint(*table, "light", card),
                       table->number("amount")};
  }
  // Generated pictures blend their grain in themselves.
  if (kind != "generated" && kind != "drawn") effects.grain = fields.number("grain");
  effects.radius = fields.number("radius");
  if (const auto table = fields.child("border")) {
    effects.border = {table->number("width"), read_paint(*table, "colour", card)};
    const Mask::Shape shape = effects.mask.shape;
    if (shape != Mask::Shape::None && shape != Mask::Shape::Rounded &&
        shape != Mask::Shape::Ellipse) {
      fields.refuse("border", "follows a rounded or elliptic mask or none, not a file or gradient");
    }
  }
  if (effects.radius > 0 && effects.mask.shape != Mask::Shape::None) {
    fields.refuse("radius", "expected either radius or mask, found both");
  }
  effects.rotate = fields.number("rotate");
  return effects;
}

std::string read_svg(const Fields& fields, std::string_view key, LayerScope& scope) {
  const std::filesystem::path path = asset_path(fields, key, scope);
  if (path.extension() != ".svg") {
    fields.refuse(key, "expected a .svg file, found \"" + fields.text(key) + "\"");
  }
  std::string svg;
  try {
    svg = read_text(path, std::size_t{1} << 20);
    check_svg(svg, path.string());
  } catch (const Error& error) {
    fields.refuse(key, error.what());
  }
  scope.assets += concat(fields.text(key), "\n", svg.size(), "\n", svg);
  return svg;
}

std::shared_ptr<const Image> read_picture(const Fields& fields, std::string_view key,
                                          LayerScope& scope) {
  const std::string path = asset_path(fields, key, scope);
  try {
    const Bytes bytes = read_bytes(path, std::size_t{8} << 20);
    scope.assets +=
        concat(fields.text(key), "\n", bytes.size(), "\n", std::string(bytes.begin(), bytes.end()));
    return std::make_shared<const Image>(decode(bytes, path, {.max_pixels = 16'000'000}));
  } catch (const Error& error) {
    fields.refuse(key, error.what());
  }
}

}  // namespace affiche::cards
