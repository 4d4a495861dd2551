// SPDX-License-Identifier: Apache-2.0
#include "cards/glyph_runs.h"

#include <pango/pangocairo.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace affiche::cards {
namespace {

constexpr int kAround = 2;  // pixels: what an edge is seen against, antialiasing included

// A bit a pixel, rows of whole words.
class Bits {
 public:
  Bits(int width, int height)
      : height_(height),
        words_((static_cast<std::size_t>(width) + 63) / 64),
        bits_(words_ * static_cast<std::size_t>(height)) {}

  std::uint64_t* row(int y) { return bits_.data() + words_ * static_cast<std::size_t>(y); }

  // What is not zero in a surface of 8-bit alpha.
  void add(cairo_surface_t* surface, int width) {
    cairo_surface_flush(surface);
    const std::ptrdiff_t stride = cairo_image_surface_get_stride(surface);
    const unsigned char* data = cairo_image_surface_get_data(surface);
    for (int y = 0; y < height_; ++y) {
      const unsigned char* alpha = data + y * stride;
      std::uint64_t* to = row(y);
      for (int x = 0; x < width; x += 8) {
        std::uint64_t eight = 0;
        const int count = std::min(8, width - x);
        std::memcpy(&eight, alpha + x, static_cast<std::size_t>(count));
        if (eight == 0) continue;
        for (int i = 0; i < count; ++i) {
          to[(x + i) / 64] |= std::uint64_t{alpha[x + i] != 0} << ((x + i) % 64);
        }
      }
    }
  }

  void remove(Bits& others) {
    for (std::size_t i = 0; i < bits_.size(); ++i) bits_[i] &= ~others.bits_[i];
  }

  // Each pixel's neighbours up to kAround away in x and y.
  void widen() {
    Bits wide(*this);
    std::fill(wide.bits_.begin(), wide.bits_.end(), 0);
    std::vector<std::uint64_t> line(words_);
    for (int y = 0; y < height_; ++y) {
      const std::uint64_t* from = row(y);
      for (std::size_t i = 0; i < words_; ++i) {
        std::uint64_t word = from[i];
        const std::uint64_t before = i > 0 ? from[i - 1] : 0;
        const std::uint64_t after = i + 1 < words_ ? from[i + 1] : 0;
        for (int d = 1; d <= kAround; ++d) {
          word |= from[i] << d | from[i] >> d | before >> (64 - d) | after << (64 - d);
        }
        line[i] = word;
      }
      for (int d = -kAround; d <= kAround; ++d) {
        if (y + d < 0 || y + d >= height_) continue;
        std::uint64_t* to = wide.row(y + d);
        for (std::size_t i = 0; i < words_; ++i) to[i] |= line[i];
      }
    }
    bits_ = std::move(wide.bits_);
  }

  std::vector<Run> runs(const Area& area) {
    std::vector<Run> result;
    for (int y = 0; y < height_; ++y) {
      const std::uint64_t* words = row(y);
      for (int x = next(words, 0, area.width, true); x < area.width;) {
        const int end = next(words, x, area.width, false);
        result.push_back({area.y + y, area.x + x, area.x + end});
        x = next(words, end, area.width, true);
      }
    }
    return result;
  }

 private:
  // The first place from `x` on whose bit is `set`; `width` when there is none.
  static int next(const std::uint64_t* words, int x, int width, bool set) {
    while (x < width) {
      const std::uint64_t word = (set ? words[x / 64] : ~words[x / 64]) >> (x % 64);
      if (word != 0) return std::min(width, x + std::countr_zero(word));
      x += 64 - x % 64;
    }
    return width;
  }

  int height_;
  std::size_t words_;
  std::vector<std::uint64_t> bits_;
};

// The ink and what is around it, on the canvas.
Area area_of(const FittedText& text, double x, double y, int width, int height) {
  const Box ink = text.ink();
  const int reach = kAround + 1;
  const int left = std::max(0, static_cast<int>(std::floor(x + ink.x)) - reach);
  const int top = std::max(0, static_cast<int>(std::floor(y + ink.y)) - reach);
  const int right = std::min(width, static_cast<int>(std::ceil(x + ink.right())) + reach);
  const int bottom = std::min(height, static_cast<int>(std::ceil(y + ink.bottom())) + reach);
  return {left, top, std::max(0, right - left), std::max(0, bottom - top)};
}

const PangoAttrColor* own_colour(const PangoLayoutRun* run) {
  for (const GSList* at = run->item->analysis.extra_attrs; at != nullptr; at = at->next) {
    const auto* attribute = static_cast<const PangoAttribute*>(at->data);
    if (attribute->klass->type == PANGO_ATTR_FOREGROUND) {
      return reinterpret_cast<const PangoAttrColor*>(attribute);
    }
  }
  return nullptr;
}

Colour colour_of(const PangoAttrColor& attribute) {
  const auto byte = [](guint16 channel) { return static_cast<std::uint8_t>(channel / 257); };
  return {byte(attribute.color.red), byte(attribute.color.green), byte(attribute.color.blue)};
}

// Draws the glyphs that have a colour of their own. Nothing when there are none.
std::optional<Colour> draw_marked(cairo_t* context, PangoLayoutLine* line) {
  std::optional<Colour> colour;
  double x = 0;
  for (const GSList* at = line->runs; at != nullptr; at = at->next) {
    const auto* run = static_cast<const PangoLayoutRun*>(at->data);
    if (const PangoAttrColor* own = own_colour(run)) {
      colour = colour_of(*own);
      cairo_move_to(context, x + static_cast<double>(run->start_x_offset) / PANGO_SCALE,
                    -static_cast<double>(run->y_offset) / PANGO_SCALE);
      pango_cairo_show_glyph_string(context, run->item->analysis.font, run->glyphs);
    }
    x += static_cast<double>(pango_glyph_string_get_width(run->glyphs) + run->start_x_offset +
                             run->end_x_offset) /
         PANGO_SCALE;
  }
  return colour;
}

}  // namespace

std::shared_ptr<const std::vector<Inked>> inked_pixels(const FittedText& text, double x, double y,
                                                       const Colour& colour, int width,
                                                       int height) {
  FittedText::Ink& kept = *text.ink_;
  const std::array<double, 4> place = {x, y, static_cast<double>(width),
                                       static_cast<double>(height)};
  if (kept.pixels != nullptr && kept.place == place && kept.pixels->front().colour == colour) {
    return kept.pixels;
  }
  const Area area = area_of(text, x, y, width, height);
  auto inked = std::make_shared<std::vector<Inked>>(1, Inked{colour, {}});
  if (area.width > 0 && area.height > 0) {
    const SurfacePtr surface(cairo_image_surface_create(CAIRO_FORMAT_A8, area.width, area.height));
    const CairoPtr context(cairo_create(surface.get()));
    cairo_translate(context.get(), -area.x, -area.y);
    Bits all(area.width, area.height);
    text.draw(context.get(), x, y, {0, 0, 0}, 1);
    all.add(surface.get(), area.width);

    cairo_set_operator(context.get(), CAIRO_OPERATOR_CLEAR);
    cairo_paint(context.get());
    cairo_set_operator(context.get(), CAIRO_OPERATOR_OVER);
    std::optional<Colour> accent;
    text.draw_lines(context.get(), x, y, [&](PangoLayoutLine* line) {
      const std::optional<Colour> found = draw_marked(context.get(), line);
      if (found) accent = found;
    });
    if (accent) {
      Bits marked(area.width, area.height);
      marked.add(surface.get(), area.width);
      all.remove(marked);
      marked.widen();
      inked->push_back({*accent, marked.runs(area)});
    }
    all.widen();
    inked->front().runs = all.runs(area);
  }
  kept.place = place;
  kept.pixels = inked;
  return inked;
}

}  // namespace affiche::cards
