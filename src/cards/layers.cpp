// SPDX-License-Identifier: Apache-2.0
#include "cards/layers.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <numbers>

#include "base/error.h"
#include "cards/chart.h"
#include "cards/effects.h"
#include "cards/glyph_runs.h"
#include "cards/seen.h"
#include "cards/shapes.h"
#include "cards/shared_layers.h"
#include "cards/svg.h"
#include "cards/variables.h"

namespace affiche::cards {
namespace {

using Strength = std::function<double(double x, double y)>;

double smooth(double t) {
  t = std::clamp(t, 0.0, 1.0);
  return t * t * (3 - 2 * t);
}

std::shared_ptr<const std::vector<Inked>> inked_on(const Canvas& canvas, const PlacedText& text) {
  return inked_pixels(text.text, text.x, text.y, text.colour, canvas.width(), canvas.height());
}

// The lowest contrast under a text if `colour` were laid over the canvas at `amount`.
double contrast_under(const Canvas& canvas, const PlacedText& text, const Colour& colour,
                      double amount, const Strength& strength) {
  double lowest = 21;
  for (const Inked& ink : *inked_on(canvas, text)) {
    lowest = std::min(lowest,
                      canvas.lowest_contrast(ink.runs, ink.colour, text.opacity * text.colour.alpha,
                                             colour, amount, strength));
  }
  return lowest;
}

// A little more than needed, because dither and antialiasing come after. `aim` is a contrast above
// what must be, for texts that can have it on `colour`.
double wanted_contrast(const PlacedText& text, const Colour& colour, double aim) {
  const double reachable = 0.9 * contrast(luminance(text.colour), luminance(colour));
  return 1.03 * std::max(text.needed_contrast, std::min(aim, reachable));
}

// The least amount in [low, high] at which the condition holds; `high` if it holds at none.
double least_amount(double low, double high, const std::function<bool(double)>& holds_at) {
  if (holds_at(low)) return low;
  for (int i = 0; i < 7; ++i) {
    const double middle = (low + high) / 2;
    (holds_at(middle) ? high : low) = middle;
  }
  return high;
}

// The contrast of texts that have theirs already, by their layers' names.
using Secured = std::map<std::string, double>;

class Drawing {
 public:
  Drawing(const CardJob& job, const Prepared& prepared, const Layer& layer, const Box& box,
          Canvas& canvas, Canvas& target, const Layings& layings, Composed& result,
          const Secured& secured)
      : job_(job),
        prepared_(prepared),
        layer_(layer),
        canvas_(canvas),
        target_(target),
        layings_(layings),
        result_(result),
        secured_(secured),
        box_(box),
        area_(whole_pixels(box_)) {}

  void operator()(const GeneratedLayer& content) {
    const auto found = job_.inputs.generated.find(content.source);
    if (found == job_.inputs.generated.end()) {
      if (content.optional) return;
      fail(Cause::NotFound, job_.what(layer_), ": expected a generated picture \"", content.source,
           "\", found none; give the brand a prompt of that name");
    }
    const auto pixels = generated_pixels(job_, content, found->second, area_);
    target_.blend(*pixels, area_, *coverage(content.mask), layer_.opacity);
    result_.recipes.insert_or_assign(content.source, found->second.recipe());
    report();
  }

  void operator()(const SolidLayer& content) {
    const Colour colour = paint(content.colour);
    target_.shade(area_, *coverage(content.mask), layer_.opacity,
                  [&](double, double) { return colour; });
    report();
  }

  void operator()(const GradientLayer& content) {
    target_.shade(area_, *coverage(content.mask), layer_.opacity,
                  gradient_colours(content, box_, mirrored(),
                                   [this](const Paint& source) { return paint(source); }));
    report();
  }

  void operator()(const PhotoLayer& content) {
    const auto photo = prepared_.photos.find(layer_.name);
    if (photo == prepared_.photos.end()) return;
    const Image& image = photo->second->image;
    // A photo that is whole inside its box is smaller than that: the mask is of the photo.
    area_ = {area_.x + (area_.width - image.width) / 2, area_.y + (area_.height - image.height) / 2,
             image.width, image.height};
    target_.blend(image, area_, *coverage(content.mask), layer_.opacity);
    report();
  }

  void operator()(const SvgLayer& content) {
    draw_group(recolour(content.svg, finder(), job_.what(layer_)), box_, mirrored());
    report();
  }

  void operator()(const LogoLayer& content) {
    if (job_.brand.logo.empty()) return;
    const std::string what = "logo of brand \"" + job_.brand.name + "\"";
    const std::string svg = recolour(job_.brand.logo, finder(), what);
    const double aspect = svg_aspect(svg, what);
    const double width = std::min(box_.width, box_.height * aspect);
    const double height = width / aspect;
    double share = content.align == Align::Start ? 0 : content.align == Align::Centre ? 0.5 : 1;
    if (mirrored()) share = 1 - share;
    const Box place = {box_.x + (box_.width - width) * share, box_.y + (box_.height - height) / 2,
                       width, height};
    draw_group(svg, place);
    report().box = place;
  }

  void operator()(const ScrimLayer& content) {
    const Colour colour = paint(content.colour);
    const Strength position = along(box_, mirrored() ? -content.angle : content.angle);
    const auto visible = coverage(content.mask);
    const Strength strength = [&](double x, double y) {
      if (x < box_.x || y < box_.y || x > box_.right() || y > box_.bottom()) return 0.0;
      const double full = 1 - smooth((position(x, y) - content.solid) / (1 - content.solid + 1e-9));
      if (visible->empty()) return full;
      const int column = std::clamp(static_cast<int>(x) - area_.x, 0, area_.width - 1);
      const int row = std::clamp(static_cast<int>(y) - area_.y, 0, area_.height - 1);
      return full * (*visible)[static_cast<std::size_t>(row) * area_.width + column] / 255;
    };
    std::vector<const PlacedText*> texts;
    for (const std::string& name : content.under) {
      const auto text = prepared_.place.texts.find(name);
      if (text != prepared_.place.texts.end()) texts.push_back(&text->second);
    }
    const auto strengths =
        ramp(job_,
             concat(box_.x, ",", box_.y, ",", box_.width, ",", box_.height, " ", content.angle, " ",
                    content.solid, visible->empty() ? "" : mask_key()),
             area_, strength);
    const double amount =
        scrim_amount(texts, colour, layer_.opacity, std::max(layer_.opacity, content.max_opacity),
                     *strengths, strength, content.contrast);
    canvas_.shade(area_, *strengths, colour, amount);
    report();
  }

  void operator()(const ShapeLayer& content) {
    ShapeColours colours;
    if (content.fill) colours.fill = paint(*content.fill);
    if (content.stroke) colours.stroke = paint(*content.stroke);
    draw_as_one([&](cairo_t* context) {
      draw_shape(context, content, box_, colours, mirrored(), job_.what(layer_));
    });
    report();
  }

  void operator()(const QrLayer& content) {
    const std::string text = fill(content.content, job_.values, job_.brand);
    draw_as_one([&](cairo_t* context) {
      draw_qr(context, content, text, box_, paint(content.dark), paint(content.light),
              job_.what(layer_));
    });
    report();
  }

  void operator()(const ChartLayer& content) {
    const Chart chart = lay_out_chart(job_, layer_, content, box_);
    draw_as_one([&](cairo_t* context) { chart.draw(context); });
    for (const PlacedText& text : chart.texts) {
      secure_contrast(text);
      text.text.draw(target_.context(), text.x, text.y, text.colour, text.opacity);
    }
    report();
  }

  void operator()(const TextLayer&) { draw_text(); }
  void operator()(const CreditLayer&) { draw_text(); }

 private:
  bool mirrored() const { return job_.mirrored() && layer_.mirror; }

  // Overlapping parts of one layer share its opacity.
  void draw_as_one(const std::function<void(cairo_t*)>& draw) {
    cairo_t* context = target_.context();
    if (layer_.opacity < 1) cairo_push_group(context);
    draw(context);
    if (layer_.opacity < 1) {
      cairo_pop_group_to_source(context);
      cairo_paint_with_alpha(context, layer_.opacity);
    }
  }

  LayerReport& report() {
    LayerReport& report = result_.layers.emplace_back();
    report.name = layer_.name;
    report.box = box_;
    return report;
  }
  Colour paint(const Paint& source) const { return resolve(source, job_.brand, job_.values); }
  std::shared_ptr<const Coverage> coverage(const Mask& mask) const {
    Mask turned = mask;
    turned.mirrored = mirrored();
    return shared_coverage(job_, layer_, turned, area_);
  }

  // What tells the layer's mask from that of all others.
  std::string mask_key() const {
    return concat(" ", layer_.name, " ", job_.mirrored(), " ", job_.card.sha256, " ",
                  job_.card.size);
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

  void draw_group(const std::string& svg, const Box& place, bool flipped = false) {
    draw_as_one([&](cairo_t* context) {
      cairo_save(context);
      if (flipped) {
        cairo_translate(context, 2 * place.x + place.width, 0);
        cairo_scale(context, -1, 1);
      }
      draw_svg(context, svg, place, job_.what(layer_));
      cairo_restore(context);
    });
  }

  void draw_text() {
    const auto found = prepared_.place.texts.find(layer_.name);
    if (found == prepared_.place.texts.end()) return;
    const PlacedText& text = found->second;
    const auto known = secured_.find(layer_.name);
    const double reached = known != secured_.end() ? known->second : secure_contrast(text);
    text.text.draw(target_.context(), text.x, text.y, text.colour, text.opacity);
    Box ink = text.text.ink();
    ink.x += text.x;
    ink.y += text.y;
    LayerReport& report = result_.layers.emplace_back();
    report.name = layer_.name;
    report.box = ink;
    report.size = text.text.size();
    report.lines = static_cast<int>(text.text.lines().size());
    report.contrast = reached;
    for (const FittedText::Line& line : text.text.lines()) {
      report.baselines.push_back(text.y + line.baseline);
    }
  }

  // The least amount with which every text has its contrast, at most `high`. `strengths` are the
  // area's own, which are `strength` at its pixels.
  double scrim_amount(const std::vector<const PlacedText*>& texts, const Colour& colour, double low,
                      double high, const std::vector<std::uint16_t>& strengths,
                      const Strength& strength, double aim) const {
    double amount = low;
    for (const PlacedText* text : texts) {
      if (!layings_.empty()) {
        const double wanted = wanted_contrast(*text, colour, aim);
        amount = least_amount(amount, high, [&](double trial) {
          Canvas shaded = canvas_.copy();
          shaded.shade(area_, strengths, colour, trial);
          return contrast_as_seen(shaded, layings_, *text) >= wanted;
        });
        continue;
      }
      if (text->opacity * text->colour.alpha < 1) {
        const double wanted = wanted_contrast(*text, colour, aim);
        amount = least_amount(amount, high, [&](double trial) {
          return contrast_under(canvas_, *text, colour, trial, strength) >= wanted;
        });
        continue;
      }
      for (const Inked& ink : *inked_on(canvas_, *text)) {
        const double reachable = 0.9 * contrast(luminance(ink.colour), luminance(colour));
        const double needed = std::max(text->needed_contrast, std::min(aim, reachable)) * 1.03;
        amount = canvas_.least_amount(ink.runs, luminance(ink.colour), needed, colour, amount, high,
                                      area_, strengths);
      }
    }
    return amount;
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

  // The shades that a pad may have: the brand's own, then black or white.
  std::vector<Colour> pad_shades(const PlacedText& text) const {
    const bool light = luminance(text.colour) > 0.18;
    std::vector<Colour> shades;
    const auto own = job_.brand.colours.find(light ? "shade" : "light");
    if (own != job_.brand.colours.end()) shades.push_back(own->second);
    shades.push_back(light ? Colour{0, 0, 0} : Colour{255, 255, 255});
    return shades;
  }

  static void lay_pad(Canvas& canvas, const Colour& shade, double amount, const Strength& pad) {
    canvas.shade({0, 0, canvas.width(), canvas.height()}, {}, shade,
                 [&](double x, double y) { return amount * pad(x, y); });
  }

 public:
  // The contrast of the text, after a pad was laid where it needs one.
  double secure_contrast(const PlacedText& text) {
    if (!layings_.empty() && text.needed_contrast > 1) return secure_as_seen(text);
    const Strength pad = pad_around(text);
    double reached = 0;
    const auto holds = [&] {
      reached = contrast_under(canvas_, text, text.colour, 0, pad);
      return reached >= text.needed_contrast;
    };
    if (holds()) return reached;
    const double wanted = text.needed_contrast * 1.03;
    for (const Colour& shade : pad_shades(text)) {
      if (contrast_under(canvas_, text, shade, 1, pad) < wanted) continue;
      const double amount = least_amount(0, 1, [&](double trial) {
        return contrast_under(canvas_, text, shade, trial, pad) >= wanted;
      });
      lay_pad(canvas_, shade, amount, pad);
      if (holds()) return reached;
    }
    fail(text.credit ? Cause::Refused : Cause::BadInput, job_.what(layer_), ": contrast of ",
         reached, " under the text, at least ", text.needed_contrast,
         " is needed; choose a lighter or darker colour",
         inked_on(canvas_, text)->size() > 1 ? " or accent" : "");
  }

 private:
  // The same where effects come after: a pad beneath the words, and where that is not enough,
  // because the group is not opaque, one on the card below it too.
  double secure_as_seen(const PlacedText& text) {
    const double found = contrast_as_seen(canvas_, layings_, text);
    if (found >= text.needed_contrast) return found;
    const Strength pad = pad_around(text);
    const double wanted = text.needed_contrast * 1.03;
    // A pad on the card does not turn with its words.
    const bool turned = std::any_of(layings_.begin(), layings_.end(), [](const Laying& laying) {
      return laying.effects->rotate != 0;
    });
    Canvas& card = *layings_.back().below;
    const auto reached_with = [&](const Colour& shade, double amount, bool on_card) {
      Canvas padded = canvas_.copy();
      lay_pad(padded, shade, amount, pad);
      if (!on_card) return contrast_as_seen(padded, layings_, text);
      Canvas below = card.copy();
      lay_pad(below, shade, amount, pad);
      Layings over = layings_;
      over.back().below = &below;
      return contrast_as_seen(padded, over, text);
    };
    for (const Colour& shade : pad_shades(text)) {
      for (const bool on_card : {false, true}) {
        if ((on_card && turned) || reached_with(shade, 1, on_card) < wanted) continue;
        const double amount = least_amount(
            0, 1, [&](double trial) { return reached_with(shade, trial, on_card) >= wanted; });
        lay_pad(canvas_, shade, amount, pad);
        if (on_card) lay_pad(card, shade, amount, pad);
        return contrast_as_seen(canvas_, layings_, text);
      }
    }
    fail(Cause::BadInput, job_.what(layer_), ": contrast of ", found,
         " under the text as the effects of ", layings_.back().name, " leave it, at least ",
         text.needed_contrast,
         " is needed (1: hidden, or off the card); soften the effects, take the words out of it, ",
         "or choose a lighter or darker colour");
  }

  const CardJob& job_;
  const Prepared& prepared_;
  const Layer& layer_;
  Canvas& canvas_;          // what contrast is measured on
  Canvas& target_;          // what is drawn on: the same, or one of the layer's own
  const Layings& layings_;  // what is still done to `canvas_`
  Composed& result_;
  const Secured& secured_;
  Box box_;
  Area area_;
};

// The mask that a layer is drawn with by itself, which its border follows.
Mask outline_of(const Layer& layer) {
  if (const auto* generated = std::get_if<GeneratedLayer>(&layer.content)) return generated->mask;
  if (const auto* solid = std::get_if<SolidLayer>(&layer.content)) return solid->mask;
  if (const auto* gradient = std::get_if<GradientLayer>(&layer.content)) return gradient->mask;
  if (const auto* photo = std::get_if<PhotoLayer>(&layer.content)) return photo->mask;
  const auto* shape = std::get_if<ShapeLayer>(&layer.content);
  Mask outline;
  if (shape == nullptr) return outline;
  const bool round =
      shape->shape == ShapeLayer::Shape::Circle || shape->shape == ShapeLayer::Shape::Ellipse;
  outline.shape = round ? Mask::Shape::Ellipse : Mask::Shape::Rounded;
  outline.radius = shape->radius;
  return outline;
}

EffectPlace effect_place(const CardJob& job, const Box& box, const Mask& outline, bool mirrored,
                         std::string what) {
  return {box, outline, mirrored, std::move(what),
          [&job](const Paint& paint) { return resolve(paint, job.brand, job.values); }};
}

// `layings`: what is done to `canvas` afterwards.
void draw_with_effects(const CardJob& job, const Prepared& prepared, const Layer& layer,
                       const Box& box, Canvas& canvas, const Layings& layings, Composed& result,
                       const Secured& secured = {}) {
  if (layer.effects.none()) {
    std::visit(Drawing(job, prepared, layer, box, canvas, canvas, layings, result, secured),
               layer.content);
    return;
  }
  const EffectPlace place =
      effect_place(job, box, outline_of(layer), job.mirrored() && layer.mirror, job.what(layer));
  Canvas own(canvas.width(), canvas.height(), Canvas::Ground::Transparent);
  if (std::holds_alternative<ChartLayer>(layer.content)) {
    // Its words stand among its own pixels, which the effects change with them.
    Layings all = {{&canvas, &layer.effects, place, 1, "layer \"" + layer.name + "\""}};
    all.insert(all.end(), layings.begin(), layings.end());
    std::visit(Drawing(job, prepared, layer, box, own, own, all, result, secured), layer.content);
  } else {
    std::visit(Drawing(job, prepared, layer, box, canvas, own, layings, result, secured),
               layer.content);
  }
  lay_with_effects(canvas, std::move(own), layer.effects, place, 1);
}

// Texts that follow one another stand close: the pad of one must not lie over the letters of
// another, so all get their contrast before the first of them is drawn. Returns the layer behind
// them.
std::size_t secure_texts(const CardJob& job, const Prepared& prepared, std::size_t from,
                         Canvas& canvas, Composed& result, Secured& secured) {
  std::size_t to = from;
  const auto text_of = [&](std::size_t i) -> const PlacedText* {
    const Layer& layer = *job.layers[i];
    const auto* text = std::get_if<TextLayer>(&layer.content);
    const bool read = text != nullptr && !text->style.decorative && layer.group.empty();
    const auto found = prepared.place.texts.find(layer.name);
    return read && found != prepared.place.texts.end() ? &found->second : nullptr;
  };
  while (to < job.layers.size() && text_of(to) != nullptr) ++to;
  if (to < from + 2) return from + 1;
  const Layings none;
  // The second round measures what the pads of the first have left.
  for (const int round : {1, 2}) {
    for (std::size_t i = from; i < to; ++i) {
      const Layer& layer = *job.layers[i];
      Drawing drawing(job, prepared, layer, {}, canvas, canvas, none, result, secured);
      const double reached = drawing.secure_contrast(*text_of(i));
      if (round == 2) secured.insert_or_assign(layer.name, reached);
    }
  }
  return to;
}

void draw_layer(const CardJob& job, const Prepared& prepared, const Layer& layer, Canvas& canvas,
                const Layings& layings, Composed& result, const Secured& secured) {
  const std::optional<Box> box = prepared.place.box(job, layer);
  if (!box || is_empty(job, layer)) return;
  // Without its photograph there is nothing that a border or a shadow could belong to.
  if (std::holds_alternative<PhotoLayer>(layer.content) && !prepared.photos.contains(layer.name)) {
    return;
  }
  if (never_changes(layer)) {
    const auto drawn = drawn_layer(job, layer, *box, [&](Canvas& own, Composed& by_itself) {
      draw_with_effects(job, prepared, layer, *box, own, {}, by_itself);
    });
    canvas.lay(drawn->plane);
    result.layers.insert(result.layers.end(), drawn->reports.begin(), drawn->reports.end());
    return;
  }
  draw_with_effects(job, prepared, layer, *box, canvas, layings, result, secured);
}

void draw_timed(const CardJob& job, const Prepared& prepared, const Layer& layer, Canvas& canvas,
                const Layings& layings, Composed& result, const Secured& secured = {}) {
  const auto start = std::chrono::steady_clock::now();
  draw_layer(job, prepared, layer, canvas, layings, result, secured);
  const auto end = std::chrono::steady_clock::now();
  result.timings["layer " + layer.name] +=
      std::chrono::duration<double, std::milli>(end - start).count();
}

}  // namespace

void draw_layers(const CardJob& job, const Prepared& prepared, Canvas& canvas, Composed& result) {
  Secured secured;
  std::size_t seen = 0;  // layers whose texts have their contrast
  for (std::size_t i = 0; i < job.layers.size();) {
    if (i >= seen) seen = secure_texts(job, prepared, i, canvas, result, secured);
    const Group* group = job.card.find_group(job.layers[i]->group);
    if (group == nullptr || (group->effects.none() && group->opacity == 1)) {
      draw_timed(job, prepared, *job.layers[i++], canvas, {}, result, secured);
      continue;
    }
    const Box box = job.mirrored() ? job.mirror(group->box) : group->box;
    const std::string name = "group \"" + group->name + "\"";
    const EffectPlace place =
        effect_place(job, box, {}, job.mirrored(), "template \"" + job.card.name + "\", " + name);
    Canvas own(canvas.width(), canvas.height(), Canvas::Ground::Transparent);
    const Layings layings = {{&canvas, &group->effects, place, group->opacity, name}};
    for (; i < job.layers.size() && job.layers[i]->group == group->name; ++i) {
      draw_timed(job, prepared, *job.layers[i], own, layings, result);
    }
    lay_with_effects(canvas, std::move(own), group->effects, place, group->opacity);
  }
}

}  // namespace affiche::cards
