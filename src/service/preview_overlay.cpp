// SPDX-License-Identifier: Apache-2.0
// The debug overlay, as a template of its own over the card's pixels: frames are shapes, figures
// are text.
#include <cstdio>

#include "base/error.h"
#include "imaging/resize.h"
#include "service/preview.h"

namespace affiche::service {
namespace {

std::string box_text(const cards::Box& box) {
  return concat("[", box.x, ", ", box.y, ", ", std::max(box.width, 1.0), ", ",
                std::max(box.height, 1.0), "]");
}

// TOML's basic strings end at a quote and treat backslashes as escapes.
std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    if (static_cast<unsigned char>(c) >= 0x20) result += c;
  }
  return result + "\"";
}

std::string frame(int number, const cards::Box& box, const char* colour, const char* dash) {
  return concat("[[layers]]\nkind = \"shape\"\nname = \"frame", number, "\"\nbox = ", box_text(box),
                "\nstroke = \"", colour, "\"\nstroke_width = 2\n", dash);
}

std::string caption(int number, const cards::Box& box, const cards::Template& card,
                    const std::string& text, const std::string& font) {
  const double width = std::min(box.width + 160, card.width - std::max(box.x, 0.0));
  if (width < 60) return "";
  const double y = std::max(0.0, std::min(box.y - 18, card.height - 18.0));
  return concat("[[layers]]\nkind = \"text\"\nname = \"caption", number,
                "\"\nbox = ", box_text({std::max(box.x, 0.0), y, width, 18}), "\ncontent = [",
                quoted(text), "]\nfont = ", quoted(font),
                "\ncolour = \"#FFFFFF\"\nmax_size = 14\nmin_size = 8\nellipsis = true\n"
                "decorative = true\nshadow = { x = 0, y = 0, blur = 4, colour = \"#000000\" }\n");
}

}  // namespace

Image preview_overlay(const cards::Composed& made, const cards::Template& card,
                      const cards::Brand& brand) {
  if (brand.fonts.empty()) return made.image;
  const std::string font = brand.fonts.contains("body") ? "body" : brand.fonts.begin()->first;
  std::string text = concat("[canvas]\nwidth = ", card.width, "\nheight = ", card.height, "\n",
                            "[[layers]]\nkind = \"generated\"\nsource = \"card\"\ngrain = 0\n");
  text += frame(0, card.safe, "#00FF88", "dash = [8, 6]\n");
  int number = 1;
  int lines = 0;
  for (const cards::LayerReport& layer : made.layers) {
    const bool words = layer.lines > 0;
    text += frame(number, layer.box, words ? "#FF3366" : "#33AAFF", words ? "" : "dash = [3, 5]\n");
    for (const double y : layer.baselines) {
      text += concat("[[layers]]\nkind = \"shape\"\nname = \"baseline", number, "-", ++lines,
                     "\"\nbox = ", box_text({layer.box.x, y - 0.5, layer.box.width, 1}),
                     "\nfill = \"#EE00AA\"\n");
    }
    if (words) {
      std::array<char, 64> figures{};
      std::snprintf(figures.data(), figures.size(), " %.1f px, %d lines, %.1f:1", layer.size,
                    layer.lines, layer.contrast);
      text += caption(number, layer.box, card, layer.name + figures.data(), font);
    }
    if (++number > 30 || lines > 30) break;  // a template has at most 100 layers
  }
  cards::CardInputs inputs;
  inputs.generated.emplace("card", Generated(made.image, Recipe{}));
  return compose(cards::parse_template(text, "overlay.toml", "."), brand, inputs).image;
}

}  // namespace affiche::service
