// SPDX-License-Identifier: Apache-2.0
#include "cards/contact_sheet.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/error.h"
#include "cards/canvas.h"
#include "cards/fonts.h"
#include "cards/text.h"
#include "imaging/resize.h"

namespace affiche::cards {
namespace {

constexpr int kCell = 320, kPicture = 214, kStrip = 24, kGap = 20, kMargin = 24, kTitle = 56;
constexpr int kInside = 10;  // between the strip and the texts, and under them
constexpr Colour kPaper{246, 246, 243, 1}, kInk{25, 28, 33, 1}, kSoft{82, 87, 97, 1};
constexpr Colour kGood{20, 107, 56, 1}, kBad{163, 31, 31, 1}, kEmpty{220, 220, 217, 1};

void use(cairo_t* context, const Colour& colour) {
  cairo_set_source_rgba(context, colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0,
                        colour.alpha);
}

void fill(cairo_t* context, const Colour& colour, int x, int y, int width, int height) {
  use(context, colour);
  cairo_rectangle(context, x, y, width, height);
  cairo_fill(context);
}

GObjectPtr<PangoLayout> lay_out(PangoContext* context, const std::string& text, int weight,
                                double size, int width, int lines) {
  GObjectPtr<PangoLayout> layout(pango_layout_new(context));
  Font font;
  font.family = "Noto Sans";
  font.weight = weight;
  pango_layout_set_font_description(layout.get(), describe(font, size, "").get());
  pango_layout_set_width(layout.get(), width * PANGO_SCALE);
  pango_layout_set_wrap(layout.get(), PANGO_WRAP_WORD_CHAR);
  if (lines > 0) {
    pango_layout_set_height(layout.get(), -lines);
    pango_layout_set_ellipsize(layout.get(), PANGO_ELLIPSIZE_END);
  }
  pango_layout_set_text(layout.get(), text.data(), static_cast<int>(text.size()));
  return layout;
}

int height_of(PangoLayout* layout) {
  int height = 0;
  pango_layout_get_pixel_size(layout, nullptr, &height);
  return height;
}

void show(cairo_t* context, PangoLayout* layout, const Colour& colour, int x, int y) {
  use(context, colour);
  cairo_move_to(context, x, y);
  pango_cairo_show_layout(context, layout);
}

struct Laid {
  GObjectPtr<PangoLayout> mark, heading, text;
  int height = 0;  // of the texts under the strip
};

std::string clean_paragraphs(const std::string& text) {
  std::string out;
  std::size_t start = 0;
  while (start <= text.size()) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    out += (out.empty() ? "" : "\n") + clean_text(text.substr(start, end - start), "contact sheet");
    start = end + 1;
  }
  return out;
}

Laid lay_out(PangoContext* context, const SheetCell& cell) {
  Laid laid;
  laid.mark = lay_out(context, clean_text(cell.mark, "contact sheet"), 700, 12, kCell - 16, 1);
  laid.heading = lay_out(context, clean_text(cell.heading, "contact sheet"), 700, 15, kCell, 2);
  laid.text = lay_out(context, clean_paragraphs(cell.text), 400, 12.5, kCell, 0);
  laid.height = height_of(laid.heading.get()) + 4 + height_of(laid.text.get());
  return laid;
}

// Whole, in the middle of its place.
void place(Image& sheet, const Image& picture, int x, int y) {
  const double scale = std::min({1.0, static_cast<double>(kCell) / picture.width,
                                 static_cast<double>(kPicture) / picture.height});
  const int width = std::max(1, static_cast<int>(std::lround(picture.width * scale)));
  const int height = std::max(1, static_cast<int>(std::lround(picture.height * scale)));
  const Image rgb = picture.channels == 4 ? to_rgb(picture) : picture;
  paste(sheet, resize(rgb, width, height, Filter::Lanczos), x + (kCell - width) / 2,
        y + (kPicture - height) / 2);
}

}  // namespace

Image contact_sheet(const std::string& title, std::span<const SheetCell> cells, int columns) {
  if (cells.empty()) fail(Cause::BadInput, "contact sheet: expected pictures, found none");
  const int across = std::clamp(static_cast<int>(cells.size()), 1, std::max(1, columns));
  const auto text_context = make_text_context({}, "");
  std::vector<Laid> laid;
  for (const SheetCell& cell : cells) laid.push_back(lay_out(text_context.get(), cell));
  std::vector<int> tops = {kMargin + kTitle};
  for (std::size_t i = 0; i < laid.size(); i += static_cast<std::size_t>(across)) {
    const auto row = std::span(laid).subspan(i, std::min(laid.size() - i, std::size_t(across)));
    const int tallest = std::max_element(row.begin(), row.end(), [](const Laid& a, const Laid& b) {
                          return a.height < b.height;
                        })->height;
    tops.push_back(tops.back() + kPicture + kStrip + kInside + tallest + kGap);
  }
  const int width = 2 * kMargin + across * kCell + (across - 1) * kGap;
  const int height = tops.back() - kGap + kMargin;
  if (width > 32768 || height > 32768) {
    fail(Cause::BadInput, "contact sheet: ", cells.size(), " pictures do not fit on one sheet");
  }
  Canvas canvas(width, height);
  cairo_t* context = canvas.context();
  fill(context, kPaper, 0, 0, width, height);
  const auto head = lay_out(text_context.get(), clean_text(title, "contact sheet"), 700, 20,
                            width - 2 * kMargin, 1);
  show(context, head.get(), kInk, kMargin, kMargin);
  const auto corner = [&](std::size_t i) {
    const int column = static_cast<int>(i) % across;
    return std::pair(kMargin + column * (kCell + kGap), tops[i / static_cast<std::size_t>(across)]);
  };
  for (std::size_t i = 0; i < laid.size(); ++i) {
    const auto [x, y] = corner(i);
    fill(context, kEmpty, x, y, kCell, kPicture);
    fill(context, cells[i].good ? kGood : kBad, x, y + kPicture, kCell, kStrip);
    show(context, laid[i].mark.get(), Colour{255, 255, 255, 1}, x + 8,
         y + kPicture + (kStrip - height_of(laid[i].mark.get())) / 2);
    const int below = y + kPicture + kStrip + kInside;
    show(context, laid[i].heading.get(), kInk, x, below);
    show(context, laid[i].text.get(), kSoft, x, below + height_of(laid[i].heading.get()) + 4);
  }
  Image sheet = canvas.image();
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const auto [x, y] = corner(i);
    if (cells[i].picture) place(sheet, *cells[i].picture, x, y);
  }
  return sheet;
}

}  // namespace affiche::cards
