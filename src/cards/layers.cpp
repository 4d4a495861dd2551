// SPDX-License-Identifier: Apache-2.0
#include "cards/layers.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"
#include "cards/mask.h"
#include "cards/resample.h"
#include "cards/svg.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

using Strength = std::function<double(double x, double y)>;

double smooth(double t) {
  t = std::clamp(t, 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

// How far a pixel is along a CSS gradient line of the box: 0 at the start, 1 at the end.
Strength along(const Box& box, double degrees) {
  const double angle = degrees * std::numbers::pi / 180;
  const double dx = std::sin(angle);
  const double dy = -std::cos(angle);
  const double length = std::abs(box.width * dx) + std::abs(box.height * dy);
  const double cx = box.x + box.width / 2;
  const double cy = box.y + box.height / 2;
  return [=](double x, double y) {
    return std::clamp(((x - cx) * dx + (y - cy) * dy) / length + 0.5, 0.0, 1.0);
  };
}

Colour between(const Colour& a, const Colour& b, double t) {
  const auto mix = [&](std::uint8_t from, std::uint8_t to) {
    return static_cast<std::uint8_t>(std::lround(from + (to - from) * t));
  };
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue),
          a.alpha + (b.alpha - a.alpha) * t};
}

// The lowest contrast under a text if `colour` were laid over the canvas at `amount`.
double contrast_under(const Canvas& canvas, const PlacedText& text, const Colour& colour,
                      double amount, const Strength& strength) {
  double lowest = 21;
  for (const Area& area : text.areas()) {
    lowest =
        std::min(lowest, canvas.lowest_contrast(area, text.colour, text.opacity * text.colour.alpha,
                                                colour, amount, strength));
  }
  return lowest;
}

// The least amount in [low, high] with which every text has its contrast; `high` if none has. `aim`
// is a contrast above what must be, for texts that can have it on `colour`.
double least_amount(const Canvas& canvas, const std::vector<const PlacedText*>& texts,
                    const Colour& colour, double low, double high, const Strength& strength,
                    double aim = 0) {
  const auto holds_at = [&](double amount) {
    return std::all_of(texts.begin(), texts.end(), [&](const PlacedText* text) {
      // A little more than needed, because dither and antialiasing come after.
      const double reachable = 0.9 * contrast(luminance(text->colour), luminance(colour));
      const double needed = std::max(text->needed_contrast, std::min(aim, reachable));
      return contrast_under(canvas, *text, colour, amount, strength) >= needed * 1.03;
    });
  };
  if (texts.empty() || holds_at(low)) return low;
  for (int i = 0; i < 7; ++i) {
    const double middle = (low + high) / 2;
    (holds_at(middle) ? high : low) = middle;
  }
  return high;
}

class Drawing {
 public:
  Drawing(const CardJob& job, const Prepared& prepared, const Layer& layer, const Box& box,
          Canvas& canvas, Composed& result)
      : job_(job),
        prepared_(prepared),
        layer_(layer),
        canvas_(canvas),
        result_(result),
        box_(box),
        area_(whole_pixels(box_)) {}

  void operator()(const GeneratedLayer& content) {
    const auto found = job_.inputs.generated.find(content.source);
    if (found == job_.inputs.generated.end()) {
      if (content.optional) return;
      fail(Cause::NotFound, job_.what(layer_), ": expected a generated picture \"", content.source,
           "\", found none; give the brand a prompt of that name");
    }
    const FloatPixels pixels = resample_to_cover(found->second.image(), area_.width, area_.height,
                                                 content.zoom, content.focus[0], content.focus[1]);
    canvas_.blend(pixels, area_, coverage(content.mask), layer_.opacity, content.grain);
    result_.recipes.insert_or_assign(content.source, found->second.recipe());
    report();
  }

  void operator()(const SolidLayer& content) {
    const Colour colour = paint(content.colour);
    canvas_.shade(area_, coverage(content.mask), layer_.opacity,
                  [&](double, double) { return colour; });
    report();
  }

  void operator()(const GradientLayer& content) {
    std::vector<std::pair<double, Colour>> stops;
    for (const auto& stop : content.stops) stops.emplace_back(stop.at, paint(stop.colour));
    const Strength position = along(box_, content.angle);
    canvas_.shade(area_, coverage(content.mask), layer_.opacity, [&](double x, double y) {
      const double t = position(x, y);
      std::size_t i = 1;
      while (i + 1 < stops.size() && t > stops[i].first) ++i;
      const double span = stops[i].first - stops[i - 1].first;
      const double part = span > 0 ? (t - stops[i - 1].first) / span : 1;
      return between(stops[i - 1].second, stops[i].second, std::clamp(part, 0.0, 1.0));
    });
    report();
  }

  void operator()(const PhotoLayer& content) {
    const auto photo = prepared_.photos.find(layer_.name);
    if (photo == prepared_.photos.end()) return;
    canvas_.blend(photo->second.image, area_, coverage(content.mask), layer_.opacity);
    report();
  }

  void operator()(const SvgLayer& content) {
    draw_group(recolour(content.svg, finder(), job_.what(layer_)), box_);
    report();
  }

  void operator()(const LogoLayer& content) {
    if (job_.brand.logo.empty()) return;
    const std::string what = "logo of brand \"" + job_.brand.name + "\"";
    const std::string svg = recolour(job_.brand.logo, finder(), what);
    const double aspect = svg_aspect(svg, what);
    const double width = std::min(box_.width, box_.height * aspect);
    const double height = width / aspect;
    const double share = content.align == Align::Start    ? 0
                         : content.align == Align::Centre ? 0.5
                                                          : 1;
    const Box place = {box_.x + (box_.width - width) * share, box_.y + (box_.height - height) / 2,
                       width, height};
    draw_group(svg, place);
    report().box = place;
  }

  void operator()(const ScrimLayer& content) {
    const Colour colour = paint(content.colour);
    const Strength position = along(box_, content.angle);
    const Strength strength = [&](double x, double y) {
      if (x < box_.x || y < box_.y || x > box_.right() || y > box_.bottom()) return 0.0;
      return 1 - smooth((position(x, y) - content.solid) / (1 - content.solid + 1e-9));
    };
    std::vector<const PlacedText*> texts;
    for (const std::string& name : content.under) {
      const auto text = prepared_.place.texts.find(name);
      if (text != prepared_.place.texts.end()) texts.push_back(&text->second);
    }
    const double amount =
        least_amount(canvas_, texts, colour, layer_.opacity,
                     std::max(layer_.opacity, content.max_opacity), strength, content.contrast);
    canvas_.shade(area_, {}, colour, [&](double x, double y) { return amount * strength(x, y); });
    report();
  }

  [[noreturn]] void operator()(const ShapeLayer&) { not_drawn(); }
  [[noreturn]] void operator()(const QrLayer&) { not_drawn(); }
  [[noreturn]] void operator()(const ChartLayer&) { not_drawn(); }
  void operator()(const TextLayer&) { draw_text(); }
  void operator()(const CreditLayer&) { draw_text(); }

 private:
  [[noreturn]] void not_drawn() const {
    fail(Cause::Internal, job_.what(layer_), ": this kind is not drawn");
  }
  LayerReport& report() {
    result_.layers.push_back({layer_.name, box_});
    return result_.layers.back();
  }
  Colour paint(const Paint& source) const { return resolve(source, job_.brand, job_.values); }
  Coverage coverage(const Mask& mask) const {
    return make_coverage(mask, area_, job_.what(layer_));
  }

  std::function<Colour(const std::string&)> finder() const {
    return [this](const std::string& name) {
      if (name.rfind("brand.", 0) == 0) return job_.brand.colour(name.substr(6));
      Colour colour;
      const auto value = job_.values.find(name.rfind("var.", 0) == 0 ? name.substr(4) : "");
      if (value == job_.values.end() || !parse_hex(value->second, colour)) {
        fail(Cause::BadInput, job_.what(layer_), ": no colour {{", name,
             "}}; expected brand.NAME or var.NAME");
      }
      return colour;
    };
  }

  void draw_group(const std::string& svg, const Box& place) {
    cairo_t* context = canvas_.context();
    if (layer_.opacity < 1) cairo_push_group(context);
    draw_svg(context, svg, place, job_.what(layer_));
    if (layer_.opacity < 1) {
      cairo_pop_group_to_source(context);
      cairo_paint_with_alpha(context, layer_.opacity);
    }
  }

  void draw_text() {
    const auto found = prepared_.place.texts.find(layer_.name);
    if (found == prepared_.place.texts.end()) return;
    const PlacedText& text = found->second;
    const double reached = secure_contrast(text);
    text.text.draw(canvas_.context(), text.x, text.y, text.colour, text.opacity);
    Box ink = text.text.ink();
    ink.x += text.x;
    ink.y += text.y;
    result_.layers.push_back(
        {layer_.name, ink, text.text.size(), static_cast<int>(text.text.lines().size()), reached});
  }

  // A soft pad around the lines: full strength within 10 pixels of the ink, gone after 44.
  Strength pad_around(const PlacedText& text) const {
    return [areas = text.areas()](double x, double y) {
      double nearest = 1e9;
      for (const Area& area : areas) {
        const double dx = std::max({area.x - x, x - (area.x + area.width), 0.0});
        const double dy = std::max({area.y - y, y - (area.y + area.height), 0.0});
        nearest = std::min(nearest, std::hypot(dx, dy));
      }
      return 1 - smooth((nearest - 10) / 34);
    };
  }

  double secure_contrast(const PlacedText& text) {
    const Strength pad = pad_around(text);
    const auto measured = [&] { return contrast_under(canvas_, text, text.colour, 0, pad); };
    if (measured() >= text.needed_contrast) return measured();
    const bool light = luminance(text.colour) > 0.18;
    std::vector<Colour> shades;
    const auto own = job_.brand.colours.find(light ? "shade" : "light");
    if (own != job_.brand.colours.end()) shades.push_back(own->second);
    shades.push_back(light ? Colour{0, 0, 0} : Colour{255, 255, 255});
    for (const Colour& shade : shades) {
      if (contrast_under(canvas_, text, shade, 1, pad) < text.needed_contrast * 1.03) continue;
      const double amount = least_amount(canvas_, {&text}, shade, 0, 1, pad);
      const Area all = {0, 0, canvas_.width(), canvas_.height()};
      canvas_.shade(all, {}, shade, [&](double x, double y) { return amount * pad(x, y); });
      if (measured() >= text.needed_contrast) return measured();
    }
    fail(text.credit ? Cause::Refused : Cause::BadInput, job_.what(layer_), ": contrast of ",
         measured(), " under the text, at least ", text.needed_contrast,
         " is needed; choose a lighter or darker colour");
  }

  const CardJob& job_;
  const Prepared& prepared_;
  const Layer& layer_;
  Canvas& canvas_;
  Composed& result_;
  Box box_;
  Area area_;
};

}  // namespace

void draw_layer(const CardJob& job, const Prepared& prepared, const Layer& layer, Canvas& canvas,
                Composed& result) {
  const std::optional<Box> box = prepared.place.box(job, layer);
  if (!box || is_empty(job, layer)) return;
  std::visit(Drawing(job, prepared, layer, *box, canvas, result), layer.content);
}

}  // namespace affiche::cards
