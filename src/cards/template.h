// SPDX-License-Identifier: Apache-2.0
// A card's template: a TOML file with the canvas, the variables and the layers from back to front.
// docs/templates.md is the reference of the format. A loaded Template is immutable plain data that
// holds every asset it needs; it may be shared between threads.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cards/colour.h"

namespace affiche::cards {

// Pixels of the canvas; x, y is the upper left corner.
struct Box {
  double x = 0;
  double y = 0;
  double width = 0;
  double height = 0;
  double right() const { return x + width; }
  double bottom() const { return y + height; }
  bool operator==(const Box&) const = default;
};

// "#0F1B2D", "#0F1B2DCC", "brand.accent", "brand.accent/0.6" or "var.tint" (a colour variable).
struct Paint {
  enum class Source { Literal, Brand, Variable };
  Source source = Source::Literal;
  Colour literal;    // Source::Literal
  std::string name;  // Source::Brand and Source::Variable
  double alpha = 1;  // multiplied in for Brand and Variable
};

struct Variable {
  enum class Type { Text, Date, Colour };
  Type type = Type::Text;
  bool required = false;
  std::string fallback;  // the value when the job gives none
  int max_length = 300;  // characters without combining marks
  std::string description;
};

// A white-on-transparent SVG of the layer's box (its alpha is the mask), or a shape.
struct Mask {
  enum class Shape { None, Svg, Rounded, Ellipse, Slanted };
  Shape shape = Shape::None;
  std::string svg;    // Shape::Svg: checked text
  double radius = 0;  // Shape::Rounded, pixels
  double slant = 0;   // Shape::Slanted: the left edge's shift from bottom to top, pixels
};

enum class Align { Start, Centre, End };  // Start is the right edge for right-to-left text

struct TextStyle {
  std::string font = "body";  // a font name of the brand
  Paint colour;
  double max_size = 32;  // pixels per em
  double min_size = 32;
  int lines = 1;              // at most
  double line_height = 1.2;   // times the size
  double letter_spacing = 0;  // em; ignored in joined scripts
  bool uppercase = false;
  bool balance = false;   // lines of about equal length
  bool ellipsis = false;  // may be cut; otherwise text that does not fit is an error
  Align align = Align::Start;
};

struct GeneratedLayer {
  std::string source;  // "background", "chrome": the name in CardInputs::generated
  Mask mask;
  double grain = 1.0;  // standard deviation of the film grain, in 8-bit levels
  double zoom = 1;     // 1: the picture just covers the box
  std::array<double, 2> focus = {0.5,
                                 0.5};  // the point that stays central, fractions of the picture
  bool optional = false;                // draw nothing when the picture is not given
};
struct SolidLayer {
  Paint colour;
  Mask mask;
};
struct GradientLayer {
  struct Stop {
    double at = 0;
    Paint colour;
  };
  double angle = 90;  // degrees as in CSS: 0 to the top, 90 to the right
  std::vector<Stop> stops;
  Mask mask;
};
struct PhotoLayer {
  enum class Focus { Attention, Entropy, Centre, Point };
  Mask mask;
  Focus focus = Focus::Attention;
  std::array<double, 2> point = {0.5, 0.5};  // Focus::Point, fractions of the photo
};
struct SvgLayer {
  std::string svg;  // checked text with {{brand.name}} places, drawn into the box
};
struct TextLayer {
  std::vector<std::string> content;  // parts with {{variable}} places; empty parts are left out
  std::string joint = " · ";         // between the parts
  TextStyle style;
  std::string stack;  // the stack that places it, or empty: its own box
  double gap = 0;     // above it in the stack, pixels
};
struct LogoLayer {
  Align align = Align::Start;
};
// A shade under text, raised from `opacity` to `max_opacity` until the contrast holds.
struct ScrimLayer {
  Paint colour;
  double max_opacity = 0.9;
  double contrast = 0;             // aimed at, above what must be; as far as the colour can give it
  double angle = 90;               // the direction in which it fades out, as GradientLayer::angle
  double solid = 0.5;              // share of the way at full strength before it fades
  std::vector<std::string> under;  // text layers that it serves
};
struct CreditLayer {
  TextStyle style;
  std::string ai_note;  // added when a picture of the model is on the card; may be empty
};

struct Layer {
  std::string name;
  std::string when;  // "", "photo", "no_photo", "set:VARIABLE", "unset:VARIABLE"
  Box box;           // the whole canvas when not given
  std::optional<Box> box_no_photo;
  double opacity = 1;
  std::variant<GeneratedLayer, SolidLayer, GradientLayer, PhotoLayer, SvgLayer, TextLayer,
               LogoLayer, ScrimLayer, CreditLayer>
      content;
};

// Text layers under one another, as one block that is placed in the box.
struct Stack {
  std::string name;
  Box box;
  std::optional<Box> box_no_photo;
  Align align = Align::Centre;  // vertical
};

struct Template {
  enum class PhotoMissing { Variant, Fail };
  enum class ModelMissing { Fallback, Fail };
  std::string name;  // the file's stem
  std::string description;
  int width = 1200;
  int height = 630;
  PhotoMissing photo_missing = PhotoMissing::Fail;
  ModelMissing model_missing = ModelMissing::Fallback;
  std::map<std::string, Variable> variables;
  std::vector<Stack> stacks;
  std::vector<Layer> layers;
  std::string sha256;  // over the file and every asset it names: part of the card's key

  bool has_photo() const;  // a photo layer exists
  // The names of the pictures that compose() will ask for in this variant.
  std::vector<std::string> generated_names(bool with_photo) const;
};

// Reads a template; asset paths in it are relative to its folder. BadInput with file:line:column
// for unknown keys, wrong types, a photo layer without a credit layer, an unsafe SVG.
Template load_template(const std::filesystem::path& path);
Template parse_template(const std::string& text, const std::string& what,
                        const std::filesystem::path& folder);

}  // namespace affiche::cards
