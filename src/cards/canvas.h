// SPDX-License-Identifier: Apache-2.0
// The card while it is being made: cairo's BGRX rows, which cairo and Pango draw on directly, and
// blending of pictures and shades with dither so that soft gradients do not band.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "cards/colour.h"
#include "cards/handles.h"
#include "cards/template.h"
#include "imaging/image.h"

namespace affiche::cards {

// Whole pixels.
struct Area {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};
Area whole_pixels(const Box& box);

// Pixels from..to-1 of a row.
struct Run {
  int y = 0;
  int from = 0;
  int to = 0;
};

// Film grain at a pixel of the card: normally distributed with standard deviation 1.
float grain_at(int x, int y);

// 8-bit coverage of an area, rows without padding; empty: covered everywhere.
using Coverage = std::vector<std::uint8_t>;

// Three floats per pixel, 0 to 255, so that resampling leaves fractions for the dither.
struct FloatPixels {
  int width = 0;
  int height = 0;
  std::vector<float> rgb;
};

// A part of a canvas, premultiplied: what a layer that does not change is kept as.
struct Plane {
  Area area;
  std::vector<std::uint32_t> pixels;         // of the area
  std::vector<std::pair<int, int>> visible;  // of each row: from, to; equal when all is clear
};

class Canvas {
 public:
  enum class Ground { Black, Transparent };  // transparent: premultiplied alpha in the fourth byte
  explicit Canvas(int width, int height, Ground ground = Ground::Black);
  int width() const { return width_; }
  int height() const { return height_; }
  // Valid as long as the canvas; drawing through it and the functions below may alternate.
  cairo_t* context() { return context_.get(); }
  cairo_surface_t* surface() const { return surface_.get(); }
  bool transparent() const { return ground_ == Ground::Transparent; }
  Canvas copy() const;
  // BGRX or premultiplied BGRA. Flush the surface before reading, mark it dirty after writing.
  std::uint8_t* row(int y) const;

  // `pixels` (of the area's size) over the area. `grain`: standard deviation in 8-bit levels.
  void blend(const FloatPixels& pixels, const Area& area, const Coverage& coverage, double opacity,
             double grain);
  void blend(const Image& rgb, const Area& area, const Coverage& coverage, double opacity);
  // The same, of cairo's opaque words.
  void blend(const std::vector<std::uint32_t>& pixels, const Area& area, const Coverage& coverage,
             double opacity);
  // `paint(x, y)` gives a colour with alpha for canvas pixel x, y.
  void shade(const Area& area, const Coverage& coverage, double opacity,
             const std::function<Colour(double x, double y)>& paint);
  // One colour with a strength of 0 to 1 per pixel.
  void shade(const Area& area, const Coverage& coverage, const Colour& colour,
             const std::function<double(double x, double y)>& strength);

  // The same, with strengths of 0 to 65535 (rows of the area) times `amount`.
  void shade(const Area& area, const std::vector<std::uint16_t>& strengths, const Colour& colour,
             double amount);
  // The runs in one colour, as far as they are on the canvas.
  void fill(std::span<const Run> runs, const Colour& colour, double opacity);
  // The plane over what is there.
  void lay(const Plane& plane);
  // All that is not clear, of a transparent canvas.
  Plane plane() const;

  // Lowest WCAG contrast between `text` (drawn at `opacity`) and the pixels under it; 21 without
  // any.
  double lowest_contrast(std::span<const Run> runs, const Colour& text, double opacity) const;
  // The same if `colour` were laid over the pixels first, at amount * strength(x, y).
  double lowest_contrast(std::span<const Run> runs, const Colour& text, double opacity,
                         const Colour& colour, double amount,
                         const std::function<double(double x, double y)>& strength) const;

  // The least amount in [low, high] of `colour`, laid over the pixels at amount * strength, with
  // which opaque text of this luminance has the needed contrast; `high` if none has. `strengths` as
  // in shade(), for the area `shaded`; outside of it there is none.
  double least_amount(std::span<const Run> runs, double text_luminance, double needed,
                      const Colour& colour, double low, double high, const Area& shaded,
                      const std::vector<std::uint16_t>& strengths) const;

  Image image() const;                              // RGB
  std::vector<std::uint32_t> opaque_words() const;  // 0xffRRGGBB, of a canvas on black

 private:
  template <typename Pixel>
  void mix(const Area& area, const Coverage& coverage, Pixel&& pixel);
  double nearest_contrast(std::span<const Run> runs, double text_luminance) const;
  Run visible(const Run& run) const;
  std::uint32_t* words(int y) const;     // the same row as cairo's words
  Area visible(const Area& area) const;  // the part of it on the canvas; may be empty
  int width_;
  int height_;
  Ground ground_;
  SurfacePtr surface_;
  CairoPtr context_;
};

}  // namespace affiche::cards
