// SPDX-License-Identifier: Apache-2.0
// Every key of a template: its type, range, default and meaning.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "cards/schema.h"

namespace affiche::cards {
namespace {

using Keys = std::vector<Key>;

Key text(std::string name, std::string meaning, std::string fallback = "") {
  Key key;
  key.name = std::move(name);
  key.meaning = std::move(meaning);
  key.fallback = std::move(fallback);
  return key;
}
Key of_type(KeyType type, std::string name, std::string meaning, std::string fallback = "") {
  Key key = text(std::move(name), std::move(meaning), std::move(fallback));
  key.type = type;
  return key;
}
Key colour(std::string name, std::string meaning, std::string fallback = "") {
  return of_type(KeyType::Colour, std::move(name), std::move(meaning), std::move(fallback));
}
Key flag(std::string name, std::string meaning, bool fallback = false) {
  Key key = of_type(KeyType::Flag, std::move(name), std::move(meaning));
  key.value = fallback ? 1 : 0;
  return key;
}
Key number(std::string name, double low, double high, double fallback, std::string meaning) {
  Key key = of_type(KeyType::Number, std::move(name), std::move(meaning));
  key.low = low;
  key.high = high;
  key.value = fallback;
  return key;
}
Key integer(std::string name, double low, double high, double fallback, std::string meaning) {
  Key key = number(std::move(name), low, high, fallback, std::move(meaning));
  key.type = KeyType::Integer;
  return key;
}
// The first word is the default.
Key choice(std::string name, std::vector<std::string> words, std::string meaning) {
  Key key = of_type(KeyType::Choice, std::move(name), std::move(meaning), words.front());
  key.choices = std::move(words);
  return key;
}
Key values(KeyType type, std::string name, double least, double most, std::string meaning) {
  Key key = of_type(type, std::move(name), std::move(meaning));
  key.low = least;
  key.high = most;
  return key;
}
Key inner(KeyType type, std::string name, const KeyTable* table, std::string meaning) {
  Key key = of_type(type, std::move(name), std::move(meaning));
  key.table = table;
  return key;
}
Key required(Key key) {
  key.required = true;
  return key;
}
Key defaults_to(Key key, std::string word) {
  key.fallback = std::move(word);
  return key;
}

const std::vector<std::string> kAligns = {"start", "center", "end"};
const std::vector<std::string> kAnchors = {"top-left",    "top",    "top-right",
                                           "left",        "center", "right",
                                           "bottom-left", "bottom", "bottom-right"};

const KeyTable& mask_table() {
  static const KeyTable table = {
      "mask",
      {of_type(KeyType::File, "svg", "a drawing of the layer's box; what it covers is visible"),
       of_type(KeyType::File, "image", "a JPEG, PNG or WebP; what is light in it is visible"),
       choice("shape", {"none", "rounded", "ellipse", "slanted", "gradient"}, "in place of a file"),
       number("radius", 0, 4096, 24, "of rounded corners, pixels"),
       number("slant", -4096, 4096, 80, "how far the left edge leans, pixels"),
       number("angle", -360, 360, 90, "where a gradient fades to, as in CSS"),
       values(KeyType::Numbers, "fade", 2, 2,
              "where a gradient begins and ends to fade, shares of the way; [0, 1]"),
       flag("invert", "what was visible is hidden")}};
  return table;
}

const KeyTable& shadow_table() {
  static const KeyTable table = {
      "shadow",
      {number("x", -500, 500, 0, "to the right, pixels"),
       number("y", -500, 500, 8, "downwards, pixels"),
       number("blur", 0, 500, 16, "as in CSS, pixels"), colour("colour", "", "#00000080")}};
  return table;
}

const KeyTable& tint_table() {
  static const KeyTable table = {
      "tint", {required(colour("colour", "")), number("amount", 0, 1, 1, "how much of it")}};
  return table;
}

const KeyTable& duotone_table() {
  static const KeyTable table = {"duotone",
                                 {required(colour("dark", "in place of black")),
                                  required(colour("light", "in place of white")),
                                  number("amount", 0, 1, 1, "how much of it")}};
  return table;
}

const KeyTable& border_table() {
  static const KeyTable table = {
      "border",
      {number("width", 0.25, 400, 2, "inside the edge, pixels"), required(colour("colour", ""))}};
  return table;
}

Keys effect_keys() {
  return {number("opacity", 0, 1, 1, "of the whole layer"),
          choice("blend",
                 {"normal", "multiply", "screen", "overlay", "darken", "lighten", "color-dodge",
                  "color-burn", "hard-light", "soft-light", "difference", "exclusion", "hue",
                  "saturation", "color", "luminosity"},
                 "how it mixes with what is below, as in CSS"),
          inner(KeyType::Table, "mask", &mask_table(), "what of it is visible"),
          number("blur", 0, 200, 0, "as CSS blur(), pixels"),
          inner(KeyType::Table, "shadow", &shadow_table(), "below it"),
          inner(KeyType::Table, "tint", &tint_table(), "its colours moved towards one"),
          inner(KeyType::Table, "duotone", &duotone_table(), "its lightness in two colours"),
          number("grain", 0, 20, 0, "film grain in 8-bit levels; hides banding"),
          number("radius", 0, 4096, 0, "of its corners, pixels"),
          inner(KeyType::Table, "border", &border_table(), "a line inside its edge"),
          number("rotate", -360, 360, 0, "degrees clockwise about the middle of its box")};
}

Keys box_keys() {
  return {values(KeyType::Lengths, "box", 4, 4,
                 "[x, y, width, height], pixels or \"50%\" of what `within` names"),
          values(KeyType::Lengths, "box_no_photo", 4, 4, "the box on cards without a photo"),
          values(KeyType::Lengths, "inset", 1, 4,
                 "in place of box: how far inside, one number or [top, right, bottom, left]"),
          choice("anchor", kAnchors, "from which corner or edge the box's x and y are measured"),
          text("within", "canvas, safe, or the name of a group", "canvas")};
}

Keys flow_keys() {
  return {text("stack", "the stack that places it"),
          number("gap", 0, 4096, -1, "before it in its stack, pixels; the stack's when not given")};
}

Keys common_keys() {
  Keys keys = {required(choice("kind",
                               {"generated", "drawn", "solid", "gradient", "photo", "svg", "text",
                                "logo", "scrim", "credit", "shape", "qr", "chart"},
                               "what it draws")),
               text("name", "unique; the kind when not given"),
               of_type(KeyType::Texts, "use", "tables of [define] whose keys it takes over"),
               of_type(KeyType::Condition, "when", "drawn only if this holds"),
               values(KeyType::Lengths, "extent", 2, 2, "[width, height] of a layer in a stack"),
               text("around", "a text, a logo or a stack: its extent is the box"),
               values(KeyType::Lengths, "padding", 1, 4,
                      "of around: one number or [top, right, bottom, left]"),
               text("group", "the group that it belongs to"),
               flag("mirror", "changes sides on cards from right to left", true)};
  keys.front().fallback.clear();
  for (const Keys& more : {box_keys(), flow_keys(), effect_keys()}) {
    keys.insert(keys.end(), more.begin(), more.end());
  }
  return keys;
}

// How the letters look and where words may be parted.
Keys typography_keys() {
  return {integer("weight", 100, 1000, -1, "in place of the font's"),
          number("width", 50, 200, -1, "percent of the normal width, in place of the font's"),
          flag("italic", "in place of the font's"),
          flag("small_caps", "in place of the font's"),
          of_type(KeyType::Texts, "features", "OpenType features: \"tnum\", \"ss01=2\""),
          choice("hyphens", {"needed", "auto", "never"}, "when words are parted"),
          text("lang", "of this text: a tag, or {{variable}}; the job's when not given")};
}

Keys style_keys() {
  Keys keys = typography_keys();
  const Keys own = {
      text("font", "a font name of the brand", "body"),
      colour("colour", "of the letters", "#FFFFFF"),
      number("size", 6, 600, 32, "pixels; or else max_size and min_size"),
      number("max_size", 6, 600, 32, "the largest size that fits is taken"),
      number("min_size", 6, 600, -1, "down to this; max_size when not given"),
      integer("lines", 1, 20, 1, "at most"),
      number("line_height", 0.8, 3, 1.2, "times the size; lines stand on this grid"),
      number("letter_spacing", -0.2, 1, 0, "em; not in joined scripts such as Arabic"),
      flag("uppercase", "capitals"),
      flag("balance", "lines of about equal length"),
      choice("align", kAligns, "start is the right edge for text from right to left")};
  keys.insert(keys.begin(), own.begin(), own.end());
  return keys;
}

Keys with(Keys keys, const Keys& more) {
  keys.insert(keys.end(), more.begin(), more.end());
  return keys;
}

const KeyTable& stop_table() {
  static const KeyTable table = {
      "stops",
      {required(number("at", 0, 1, 0, "share of the way")), required(colour("colour", ""))}};
  return table;
}

const KeyTable& point_table() {
  static const KeyTable table = {
      "points",
      {required(values(KeyType::Numbers, "at", 2, 2, "[x, y], fractions of the box")),
       required(colour("colour", ""))}};
  return table;
}

Keys generated_keys() {
  return {required(text("source", "the picture's name: \"background\", \"chrome\"")),
          number("zoom", 1, 8, 1, "1: it just covers the box"),
          values(KeyType::Numbers, "focus", 2, 2,
                 "[x, y], fractions of the picture that stay central; [0.5, 0.5]"),
          flag("optional", "draw nothing when the picture is not given"),
          number("grain", 0, 20, 1, "film grain in 8-bit levels; hides banding")};
}

Keys kind_keys(const std::string& kind) {
  if (kind == "generated" || kind == "drawn") return generated_keys();
  if (kind == "solid") return {required(colour("colour", ""))};
  if (kind == "gradient") {
    return {choice("shape", {"linear", "radial", "conic", "mesh"}, "how the colours run"),
            number("angle", -360, 360, 90, "as in CSS: 0 is to the top, 90 to the right"),
            values(KeyType::Numbers, "center", 2, 2, "of radial and conic; [0.5, 0.5]"),
            number("reach", 0.01, 10, 1, "of radial; 1 is the farthest corner"),
            inner(KeyType::Tables, "stops", &stop_table(), "two or more, in order"),
            inner(KeyType::Tables, "points", &point_table(), "of mesh: two or more")};
  }
  if (kind == "photo") {
    return {choice("fit", {"cover", "contain"}, "fills its box, or is whole inside of it"),
            choice("focus", {"attention", "entropy", "center", "point"}, "what stays in the crop"),
            values(KeyType::Numbers, "point", 2, 2, "[x, y] of focus = \"point\", fractions"),
            number("grade", 0, 1, 0, "how far its white balance moves towards the brand's colours"),
            colour("grade_colour", "in place of all the brand's colours")};
  }
  if (kind == "svg") return {required(of_type(KeyType::File, "file", "the drawing"))};
  if (kind == "text") {
    return with(
        style_keys(),
        {required(of_type(KeyType::Texts, "content", "parts with {{variable}} places")),
         text("joint", "between the parts", " · "),
         flag("rich", "<b>, <i>, <sup>, <mark> and the like are marks"),
         colour("accent", "of <mark>; the text's own when not given"),
         flag("ellipsis", "cut at a word with … when not even min_size fits"),
         flag("decorative", "an ornament: no contrast is promised, any effect is allowed")});
  }
  if (kind == "logo") return {choice("align", kAligns, "where it stands in its box")};
  if (kind == "scrim") {
    return {colour("colour", "of the shade", "#000000"),
            number("max_opacity", 0, 1, 0.9, "raised from opacity up to this"),
            number("contrast", 0, 21, 0, "aimed at, as far as the colours allow"),
            number("angle", -360, 360, 90, "where it fades to, as in CSS"),
            number("solid", 0, 1, 0.5, "how far at full strength"),
            of_type(KeyType::Texts, "under", "the text layers that it serves")};
  }
  if (kind == "credit") {
    return with(style_keys(),
                {text("ai_note", "added when a picture of the model is on the card")});
  }
  if (kind == "shape") {
    return {choice("shape", {"rectangle", "circle", "ellipse", "line", "path"}, ""),
            colour("fill", "inside"),
            colour("stroke", "along the edge"),
            number("stroke_width", 0.25, 400, 2, "pixels"),
            values(KeyType::Numbers, "dash", 1, 8, "lengths of dashes and gaps, pixels"),
            values(KeyType::Numbers, "from", 2, 2, "of a line: [0, 0.5], fractions of the box"),
            values(KeyType::Numbers, "to", 2, 2, "of a line: [1, 0.5]"),
            text("path", "SVG path data"),
            values(KeyType::Numbers, "view", 2, 2, "width and height that the path is drawn in")};
  }
  if (kind == "qr") {
    return {
        required(text("content", "the text of the code, with {{variable}} places")),
        defaults_to(choice("level", {"low", "medium", "quartile", "high"}, "of error correction"),
                    "medium"),
        integer("quiet", 0, 16, 4, "modules of margin; readers need 4 on a busy ground"),
        colour("dark", "modules", "#000000"), colour("light", "ground", "#FFFFFF")};
  }
  if (kind == "chart") {
    return with(style_keys(),
                {choice("shape", {"columns", "bars", "line"}, ""),
                 required(text("values", "a variable of type numbers")),
                 text("labels", "a variable of type list"),
                 text("highlight", "a variable: the number of the value that stands out"),
                 text("unit", "after each value, with {{variable}} places"),
                 required(colour("bar", "of the bars or the line")),
                 colour("highlight_bar", "of the one that stands out"),
                 number("spacing", 0, 0.9, 0.3, "between bars, share of a step"),
                 number("bar_radius", 0, 200, 4, "of the bars' free ends")});
  }
  fail(Cause::Internal, "no layer kind ", kind);
}

// A kind's own meaning of a key wins over the common one.
KeyTable kind_table(const std::string& kind) {
  KeyTable table = {"layer", kind_keys(kind)};
  for (Key& key : common_keys()) {
    if (table.find(key.name) == nullptr) table.keys.push_back(std::move(key));
  }
  return table;
}

// The same with nothing required.
KeyTable relaxed(KeyTable table) {
  for (Key& key : table.keys) key.required = false;
  return table;
}

}  // namespace

const std::vector<std::string>& layer_kinds() {
  static const std::vector<std::string> kinds = common_keys().front().choices;
  return kinds;
}

const KeyTable& layer_keys(const std::string& kind) {
  static const std::map<std::string, KeyTable> tables = [] {
    std::map<std::string, KeyTable> all;
    for (const std::string& each : layer_kinds()) all.emplace(each, kind_table(each));
    return all;
  }();
  const auto found = tables.find(kind);
  if (found == tables.end()) fail(Cause::Internal, "no layer kind ", kind);
  return found->second;
}

const KeyTable& any_layer_keys() {
  static const KeyTable table = [] {
    KeyTable all = {"any layer", {}};
    for (const std::string& kind : layer_kinds()) {
      for (Key key : layer_keys(kind).keys) {
        key.required = false;
        const bool own = key.name == "kind" || key.name == "name" || key.name == "use";
        if (!own && all.find(key.name) == nullptr) all.keys.push_back(std::move(key));
      }
    }
    return all;
  }();
  return table;
}

const KeyTable& canvas_keys() {
  static const KeyTable table = {
      "canvas",
      {required(integer("width", 64, 4096, 1200, "pixels")),
       required(integer("height", 64, 4096, 630, "pixels")),
       values(KeyType::Lengths, "safe", 1, 4,
              "what every platform shows: margins, one or [top, right, bottom, left]; words, logo "
              "and codes outside are errors"),
       colour("background", "below all layers", "#000000")}};
  return table;
}

const KeyTable& size_keys() {
  static const KeyTable table = [] {
    static const KeyTable stacks = relaxed(stack_keys());
    static const KeyTable groups = relaxed(group_keys());
    KeyTable keys = {"sizes", canvas_keys().keys};
    keys.keys.push_back(inner(KeyType::Named, "layers", &any_layer_keys(), "changes by name"));
    keys.keys.push_back(inner(KeyType::Named, "stacks", &stacks, "changes by name"));
    keys.keys.push_back(inner(KeyType::Named, "groups", &groups, "changes by name"));
    return keys;
  }();
  return table;
}

const KeyTable& variable_keys() {
  static const KeyTable table = {
      "variables",
      {choice("type",
              {"text", "date", "colour", "choice", "number", "flag", "url", "numbers", "list"}, ""),
       flag("required", "a job without it fails"), text("default", "when the job gives none"),
       integer("max_length", 1, 2000, 300, "characters"),
       of_type(KeyType::Texts, "choices", "of type choice"), text("description", "for people"),
       text("sample", "what previews show")}};
  return table;
}

const KeyTable& stack_keys() {
  static const KeyTable table = [] {
    KeyTable keys = {
        "stacks",
        {required(text("name", "unique")),
         of_type(KeyType::Condition, "when", "laid out only if this holds"),
         choice("direction", {"column", "row"}, "under or beside one another"),
         defaults_to(choice("align", kAligns,
                            "where the block stands, along the direction; start for rows"),
                     "center"),
         choice("cross", kAligns, "where each stands across it"),
         number("spacing", 0, 4096, 0, "between two, where a layer gives no gap, pixels"),
         flag("mirror", "changes sides on cards from right to left", true)}};
    for (const Keys& more : {box_keys(), flow_keys()}) {
      keys.keys.insert(keys.keys.end(), more.begin(), more.end());
    }
    return keys;
  }();
  return table;
}

const KeyTable& group_keys() {
  static const KeyTable table = [] {
    KeyTable keys = {
        "groups",
        {required(text("name", "unique")),
         of_type(KeyType::Condition, "when", "its layers are drawn only if this holds")}};
    for (const Keys& more : {box_keys(), effect_keys()}) {
      keys.keys.insert(keys.keys.end(), more.begin(), more.end());
    }
    return keys;
  }();
  return table;
}

const KeyTable& template_keys() {
  static const KeyTable table = {
      "template",
      {text("description", "for people"),
       defaults_to(choice("photo_missing", {"variant", "fail"}, "a job without a photo"), "fail"),
       choice("model_missing", {"fallback", "fail"}, "the brand's model is not there"),
       text("scheme", "of the brand's colours: a name, or var.NAME of a variable of type choice"),
       flag("mirror", "cards in languages from right to left are set mirrored"),
       text("size_name", "what the size of [canvas] is called", "card"),
       required(inner(KeyType::Table, "canvas", &canvas_keys(), "the card's size")),
       inner(KeyType::Named, "sizes", &size_keys(), "further sizes"),
       inner(KeyType::Named, "variables", &variable_keys(), "values that the job sets"),
       inner(KeyType::Named, "define", &any_layer_keys(), "keys that layers share by `use`"),
       inner(KeyType::Tables, "stacks", &stack_keys(), "layers after one another"),
       inner(KeyType::Tables, "groups", &group_keys(), "layers that are laid down as one"),
       inner(KeyType::Tables, "layers", nullptr, "back to front")}};
  return table;
}

}  // namespace affiche::cards
