// SPDX-License-Identifier: Apache-2.0
// A card's template: a TOML file with the canvas, the variables and the layers from back to front.
// docs/templates.md is the reference of the format. A loaded Template is immutable plain data that
// holds every asset it needs; it may be shared between threads.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "cards/colour.h"
#include "cards/condition.h"
#include "imaging/image.h"

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
  // In the order of the schema's choices. Numbers and List: several values in one text.
  enum class Type { Text, Date, Colour, Choice, Number, Flag, Url, Numbers, List };
  Type type = Type::Text;
  bool required = false;
  std::string fallback;              // the value when the job gives none
  int max_length = 300;              // characters without combining marks
  std::vector<std::string> choices;  // Type::Choice
  std::string description;
  std::string sample;  // what previews show
};

// What of a layer is visible: a white-on-transparent SVG of its box (its alpha is the mask), a
// picture's lightness, a gradient, or a shape.
struct Mask {
  enum class Shape { None, Svg, Rounded, Ellipse, Slanted, Gradient, Picture };
  Shape shape = Shape::None;
  std::string svg;    // Shape::Svg: checked text
  double radius = 0;  // Shape::Rounded, pixels
  double slant = 0;   // Shape::Slanted: the left edge's shift from bottom to top, pixels
  double angle = 90;  // Shape::Gradient: as GradientLayer::angle
  std::array<double, 2> fade = {0, 1};   // Shape::Gradient: shares of the way; visible before
  std::shared_ptr<const Image> picture;  // Shape::Picture
  bool invert = false;
  bool mirrored = false;  // drawn for a card that is set from right to left
};

// In the order of the schema's choices; W3C Compositing and Blending Level 1.
enum class Blend {
  Normal,
  Multiply,
  Screen,
  Overlay,
  Darken,
  Lighten,
  ColourDodge,
  ColourBurn,
  HardLight,
  SoftLight,
  Difference,
  Exclusion,
  Hue,
  Saturation,
  Colour,
  Luminosity
};

// What is done to a layer after it was drawn by itself and before it is laid over those below.
struct Effects {
  struct Shadow {
    double x = 0;
    double y = 8;
    double blur = 16;  // standard deviation is half of it, as in CSS
    Paint colour;
  };
  struct Tint {
    Paint colour;
    double amount = 1;
  };
  struct Duotone {
    Paint dark;
    Paint light;
    double amount = 1;
  };
  struct Border {
    double width = 2;
    Paint colour;
  };
  Blend blend = Blend::Normal;
  Mask mask;
  double blur = 0;  // pixels, as CSS blur()
  std::optional<Shadow> shadow;
  std::optional<Tint> tint;
  std::optional<Duotone> duotone;
  double grain = 0;  // standard deviation in 8-bit levels
  double radius = 0;
  std::optional<Border> border;
  double rotate = 0;  // degrees clockwise about the middle of the box

  bool none() const;  // the layer may be drawn straight on the card
};

enum class Align { Start, Centre, End };  // Start is the right edge for right-to-left text

// When words are parted by the dictionary of the language.
enum class Hyphens { Needed, Auto, Never };

struct TextStyle {
  std::string font = "body";  // a font name of the brand
  int weight = 0;             // in place of the font's; 0: the font's
  double font_width = 0;      // percent, likewise
  std::optional<bool> italic;
  std::optional<bool> small_caps;
  std::vector<std::string> features;  // of OpenType, beside the font's
  bool rich = false;                  // <b>, <i>, … are marks; otherwise they are text
  Paint accent;                       // of <mark>
  Hyphens hyphens = Hyphens::Needed;
  std::string language;  // BCP 47, or {{variable}}; empty: the job's
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
  bool decorative = false;  // no contrast is promised, and any effect is allowed
};

struct GeneratedLayer {
  std::string source;  // "background", "chrome": the name in CardInputs::generated
  Mask mask;
  double grain = 1.0;  // standard deviation of the film grain, in 8-bit levels
  double zoom = 1;     // 1: the picture just covers the box
  std::array<double, 2> focus = {0.5,
                                 0.5};  // the point that stays central, fractions of the picture
  bool optional = false;                // draw nothing when the picture is not given
  bool drawn = false;                   // by code, not by the model
};
struct SolidLayer {
  Paint colour;
  Mask mask;
};
struct GradientLayer {
  enum class Shape { Linear, Radial, Conic, Mesh };
  struct Stop {
    double at = 0;
    Paint colour;
  };
  // A colour at a place of the box; every pixel mixes all by nearness.
  struct Point {
    std::array<double, 2> at = {0.5, 0.5};
    Paint colour;
  };
  Shape shape = Shape::Linear;
  double angle = 90;  // degrees as in CSS: 0 to the top, 90 to the right; Conic: where it begins
  std::array<double, 2> centre = {0.5, 0.5};  // Radial and Conic, fractions of the box
  double radius = 1;                          // Radial: 1 reaches the farthest corner
  std::vector<Stop> stops;
  std::vector<Point> points;  // Mesh
  Mask mask;
};
struct PhotoLayer {
  enum class Focus { Attention, Entropy, Centre, Point };
  enum class Fit { Cover, Contain };
  Mask mask;
  Fit fit = Fit::Cover;
  Focus focus = Focus::Attention;
  std::array<double, 2> point = {0.5, 0.5};  // Focus::Point, fractions of the photo
  double grade = 0;                          // how far its colours move towards the brand's, 0 to 1
  std::optional<Paint> grade_colour;         // in place of all the brand's colours
};
struct SvgLayer {
  std::string svg;  // checked text with {{brand.name}} places, drawn into the box
};
struct TextLayer {
  std::vector<std::string> content;  // parts with {{variable}} places; empty parts are left out
  std::string joint = " · ";         // between the parts
  TextStyle style;
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
  Mask mask;                       // where it may lie, so that it does not leave a masked picture
};
struct CreditLayer {
  TextStyle style;
  std::string ai_note;  // added when a picture of the model is on the card; may be empty
};

struct ShapeLayer {
  enum class Shape { Rectangle, Circle, Ellipse, Line, Path };
  Shape shape = Shape::Rectangle;
  std::optional<Paint> fill;
  std::optional<Paint> stroke;
  double stroke_width = 2;
  std::vector<double> dash;               // lengths of dashes and gaps, pixels
  std::array<double, 2> from = {0, 0.5};  // Line: ends, fractions of the box
  std::array<double, 2> to = {1, 0.5};
  std::string path;                     // Path: SVG path data
  std::array<double, 2> view = {1, 1};  // Path: the size of its coordinates' space
  double radius = 0;                    // Rectangle: of its corners
};
struct QrLayer {
  enum class Level { Low, Medium, Quartile, High };
  std::string content;  // with {{variable}} places
  Level level = Level::Medium;
  int quiet = 4;  // modules of light margin
  Paint dark;
  Paint light;
};
struct ChartLayer {
  enum class Shape { Columns, Bars, Line };
  Shape shape = Shape::Columns;
  std::string values;     // a variable of type numbers
  std::string labels;     // a variable of type list, or empty
  std::string highlight;  // a variable with the number of the value that stands out, or empty
  std::string unit;       // after each value, such as "%"
  Paint colour;
  Paint highlight_colour;
  double gap = 0.3;   // between bars, share of a bar's step
  double radius = 4;  // of the bars' free ends
  TextStyle style;    // of values and labels
};

struct Layer {
  std::string name;
  Condition when;
  Box box;  // the whole canvas when not given
  std::optional<Box> box_no_photo;
  std::string stack;  // the stack that places it, or empty: its own box
  double gap = -1;    // above it in the stack (before it in a row), pixels; -1: the stack's
  std::array<double, 2> extent = {0, 0};         // its size in a stack; texts have their own
  std::string around;                            // a text, logo or stack whose extent is its box
  std::array<double, 4> padding = {0, 0, 0, 0};  // of around: top, right, bottom, left
  std::string group;
  bool mirror = true;  // on cards from right to left it changes sides
  double opacity = 1;
  Effects effects;
  std::variant<GeneratedLayer, SolidLayer, GradientLayer, PhotoLayer, SvgLayer, TextLayer,
               LogoLayer, ScrimLayer, CreditLayer, ShapeLayer, QrLayer, ChartLayer>
      content;
};

// Layers after one another, as one block that is placed in the box.
struct Stack {
  std::string name;
  Condition when;
  Box box;
  std::optional<Box> box_no_photo;
  bool row = false;             // beside one another
  Align align = Align::Centre;  // along the direction: where the block stands in the box
  Align cross = Align::Start;   // across it
  double gap = 0;               // between two, where a layer does not say
  bool mirror = true;           // as Layer::mirror
  std::string stack;            // the stack that this one is an item of
  double own_gap = -1;          // as Layer::gap, in that stack
};

// Layers that are drawn together and then laid over those below as one.
struct Group {
  std::string name;
  Condition when;
  Box box;
  double opacity = 1;
  Effects effects;
};

// One canvas of a template. The file's other sizes hang below the first.
struct Template {
  enum class PhotoMissing { Variant, Fail };
  enum class ModelMissing { Fallback, Fail };
  std::string name;  // the file's stem
  std::string description;
  std::string size = "card";  // which of the sizes this is
  int width = 1200;
  int height = 630;
  Box safe;                         // what every platform shows; the canvas when not given
  std::optional<Paint> background;  // below all layers; black when not given
  bool mirror = false;              // cards from right to left are set mirrored
  std::string scheme;               // of the brand's colours: a name, or "var.NAME"
  PhotoMissing photo_missing = PhotoMissing::Fail;
  ModelMissing model_missing = ModelMissing::Fallback;
  std::map<std::string, Variable> variables;
  std::vector<Stack> stacks;
  std::vector<Group> groups;
  std::vector<Layer> layers;
  std::string sha256;  // over the file, every asset it names, and the size: part of the card's key
  std::vector<std::shared_ptr<const Template>> other_sizes;  // none below these

  bool has_photo() const;  // a photo layer exists
  // The names of the pictures that compose() will ask for in this variant, those of `drawn` layers
  // apart from the model's.
  std::vector<std::string> generated_names(bool with_photo) const;
  std::vector<std::string> drawn_names(bool with_photo) const;
  // Every size, this one first, and one by its name (BadInput with the nearest). "" is this one.
  std::vector<std::string> sizes() const;
  const Template& at_size(const std::string& name) const;
  const Stack* find_stack(const std::string& name) const;
  const Group* find_group(const std::string& name) const;
};

// Reads a template; asset paths in it are relative to its folder. BadInput with file:line:column
// for unknown keys, wrong types, a photo layer without a credit layer, an unsafe SVG.
Template load_template(const std::filesystem::path& path);
Template parse_template(const std::string& text, const std::string& what,
                        const std::filesystem::path& folder);

}  // namespace affiche::cards
