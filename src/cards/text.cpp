// SPDX-License-Identifier: Apache-2.0
#include "cards/text.h"

#include <algorithm>

namespace affiche::cards {

Box FittedText::ink() const {
  Box all;
  for (const Line& line : lines_) {
    if (line.ink.width <= 0) continue;
    if (all.width <= 0) {
      all = line.ink;
      continue;
    }
    const double right = std::max(all.right(), line.ink.right());
    const double bottom = std::max(all.bottom(), line.ink.bottom());
    all.x = std::min(all.x, line.ink.x);
    all.y = std::min(all.y, line.ink.y);
    all.width = right - all.x;
    all.height = bottom - all.y;
  }
  return all;
}

void FittedText::draw(cairo_t* context, double x, double y, const Colour& colour,
                      double opacity) const {
  // Emoji and marked words bring their own colours, so that only a group fades all alike.
  const double alpha = colour.alpha * opacity;
  if (alpha < 1) cairo_push_group(context);
  cairo_save(context);
  cairo_set_source_rgb(context, colour.red / 255.0, colour.green / 255.0, colour.blue / 255.0);
  draw_lines(context, x, y, [&](PangoLayoutLine* line) {
    cairo_move_to(context, 0, 0);
    pango_cairo_show_layout_line(context, line);
  });
  cairo_restore(context);
  if (alpha < 1) {
    cairo_pop_group_to_source(context);
    cairo_paint_with_alpha(context, alpha);
  }
}

void FittedText::draw_lines(cairo_t* context, double x, double y,
                            const std::function<void(PangoLayoutLine*)>& draw_line) const {
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    cairo_save(context);
    cairo_translate(context, x + lines_[i].x, y + lines_[i].baseline);
    cairo_scale(context, scale_, scale_);
    draw_line(pango_layout_get_line_readonly(layout_.get(), static_cast<int>(i)));
    cairo_restore(context);
  }
}

}  // namespace affiche::cards
