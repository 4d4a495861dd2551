// SPDX-License-Identifier: Apache-2.0
#include "cards/seen.h"

#include <algorithm>
#include <cmath>

#include "cards/glyph_runs.h"

namespace affiche::cards {
namespace {

// Largest distance, in pixels, at which a blurred stroke may have its middle. A blur that needs
// more leaves nothing to read.
constexpr int kMostReach = 24;

// The canvases below all layings with the shadows that `drawn`, which has the words, throws there.
std::vector<Canvas> grounds(const Canvas& drawn, const Layings& layings) {
  std::vector<Canvas> below;
  for (const Laying& laying : layings) below.push_back(laying.below->copy());
  const bool shadows = std::any_of(layings.begin(), layings.end(), [](const Laying& laying) {
    return laying.effects->shadow.has_value();
  });
  if (!shadows) return below;
  Canvas casting = drawn.copy();
  for (std::size_t i = 0; i < layings.size(); ++i) {
    const Laying& laying = layings[i];
    const Canvas finished = with_effects(std::move(casting), *laying.effects, laying.place);
    lay_shadow(below[i], finished, *laying.effects, laying.place, laying.opacity);
    casting = below[i].copy();
    lay(casting, finished, laying.effects->blend, laying.opacity);
  }
  return below;
}

// `canvas` after all layings on these grounds.
Canvas as_seen(const Canvas& canvas, const std::vector<Canvas>& below, const Layings& layings) {
  Canvas seen = canvas.copy();
  for (std::size_t i = 0; i < layings.size(); ++i) {
    const Laying& laying = layings[i];
    const Canvas finished = with_effects(std::move(seen), *laying.effects, laying.place);
    seen = below[i].copy();
    lay(seen, finished, laying.effects->blend, laying.opacity);
  }
  return seen;
}

// Where the pixels of a canvas go; nothing but rotations moves them.
Canvas moved(Canvas&& marks, const Layings& layings) {
  for (const Laying& laying : layings) {
    const double degrees = laying.effects->rotate;
    if (degrees == 0) continue;
    marks = rotated(marks, laying.place.box, laying.place.mirrored ? -degrees : degrees);
  }
  return std::move(marks);
}

double alpha_sum(const Canvas& marks) {
  cairo_surface_flush(marks.surface());
  double sum = 0;
  for (int y = 0; y < marks.height(); ++y) {
    const std::uint8_t* row = marks.row(y);
    for (int x = 0; x < marks.width(); ++x) sum += row[4 * x + 3];
  }
  return sum;
}

// A map of the contrast between two pictures of the card.
class ContrastMap {
 public:
  ContrastMap(const Canvas& ground, const Canvas& words)
      : width_(ground.width()),
        height_(ground.height()),
        values_(static_cast<std::size_t>(width_) * height_) {
    cairo_surface_flush(ground.surface());
    cairo_surface_flush(words.surface());
    for (int y = 0; y < height_; ++y) {
      const std::uint8_t* below = ground.row(y);
      const std::uint8_t* above = words.row(y);
      for (int x = 0; x < width_; ++x, below += 4, above += 4) {
        values_[index(x, y)] = static_cast<float>(contrast(
            luminance(below[2], below[1], below[0]), luminance(above[2], above[1], above[0])));
      }
    }
  }

  // Each pixel takes the best within `reach` of it, first along rows, then along columns.
  void spread(int reach) {
    std::vector<float> from = values_;
    for (const bool across : {true, false}) {
      for (int y = 0; y < height_; ++y) {
        for (int x = 0; x < width_; ++x) {
          float best = 0;
          for (int step = -reach; step <= reach; ++step) {
            best = std::max(best, from[index(std::clamp(across ? x + step : x, 0, width_ - 1),
                                             std::clamp(across ? y : y + step, 0, height_ - 1))]);
          }
          values_[index(x, y)] = best;
        }
      }
      from = values_;
    }
  }

  // Where the marks' alpha is at least `least`.
  double lowest(const Canvas& marks, int least) const {
    cairo_surface_flush(marks.surface());
    float lowest = 21;
    for (int y = 0; y < height_; ++y) {
      const std::uint8_t* row = marks.row(y);
      for (int x = 0; x < width_; ++x) {
        if (row[4 * x + 3] >= least) lowest = std::min(lowest, values_[index(x, y)]);
      }
    }
    return lowest;
  }

 private:
  std::size_t index(int x, int y) const { return static_cast<std::size_t>(y) * width_ + x; }

  int width_;
  int height_;
  std::vector<float> values_;
};

Canvas marks_on(const Canvas& canvas) {
  return Canvas(canvas.width(), canvas.height(), Canvas::Ground::Transparent);
}

// Whether a rotation takes a part of what is marked off the card.
bool loses(double before, const Canvas& after) {
  return alpha_sum(after) < 0.98 * before;
}

// As for words on the card itself: the colour of the words over all that is around the glyphs.
double clear_contrast(const Canvas& canvas, const std::vector<Canvas>& below, const Canvas& ground,
                      const Layings& layings, const PlacedText& text) {
  double lowest = 21;
  for (const Inked& ink :
       *inked_pixels(text.text, text.x, text.y, text.colour, canvas.width(), canvas.height())) {
    Canvas flat = canvas.copy();
    Colour colour = ink.colour;
    colour.alpha = text.colour.alpha;
    flat.fill(ink.runs, colour, text.opacity);
    Canvas marks = marks_on(canvas);
    marks.fill(ink.runs, {255, 255, 255}, 1);
    const double before = alpha_sum(marks);
    marks = moved(std::move(marks), layings);
    if (loses(before, marks)) return 1;
    // Beside the edge of what is filled a rotation mixes it with the ground.
    const ContrastMap map(ground, as_seen(flat, below, layings));
    lowest = std::min(lowest, map.lowest(marks, 250));
  }
  return lowest;
}

double blurred_contrast(const Canvas& drawn, const std::vector<Canvas>& below, const Canvas& ground,
                        const Layings& layings, const PlacedText& text, double sigma) {
  Canvas marks = marks_on(drawn);
  text.text.draw(marks.context(), text.x, text.y, {255, 255, 255}, 1);
  const double before = alpha_sum(marks);
  marks = moved(std::move(marks), layings);
  if (loses(before, marks)) return 1;
  ContrastMap map(ground, as_seen(drawn, below, layings));
  map.spread(std::min(static_cast<int>(std::ceil(sigma)) + 1, kMostReach));
  return map.lowest(marks, 128);
}

}  // namespace

double contrast_as_seen(const Canvas& canvas, const Layings& layings, const PlacedText& text) {
  Canvas drawn = canvas.copy();
  text.text.draw(drawn.context(), text.x, text.y, text.colour, text.opacity);
  const std::vector<Canvas> below = grounds(drawn, layings);
  const Canvas ground = as_seen(canvas, below, layings);
  double sigma = 0;
  for (const Laying& laying : layings) sigma = std::max(sigma, laying.effects->blur);
  return sigma > 0 ? blurred_contrast(drawn, below, ground, layings, text, sigma)
                   : clear_contrast(canvas, below, ground, layings, text);
}

}  // namespace affiche::cards
