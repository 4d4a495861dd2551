// SPDX-License-Identifier: Apache-2.0
#include "cards/canvas.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "cards/kernels/pixel_rows.h"

namespace affiche::cards {
namespace {

// Integer hash (Wellons, "lowbias32"): the dither must not depend on any library or machine.
std::uint32_t hash(std::uint32_t x) {
  x ^= x >> 16;
  x *= 0x7feb352dU;
  x ^= x >> 15;
  x *= 0x846ca68bU;
  return x ^ (x >> 16);
}

// Triangular noise of one level either way: removes banding without a noise floor of its own that
// depends on the value (Lipshitz et al., "Quantization and Dither", 1992).
float triangular(std::uint32_t ten_bits) {
  return static_cast<float>((ten_bits & 31) + (ten_bits >> 5)) / 31.0F - 1.0F;
}

// Sum of four uniforms: close to a normal distribution of standard deviation 1.
float normal(std::uint32_t bits) {
  const std::uint32_t sum =
      (bits & 0xff) + ((bits >> 8) & 0xff) + ((bits >> 16) & 0xff) + (bits >> 24);
  return (static_cast<float>(sum) - 510.0F) / 147.8F;
}

std::uint8_t level(float value) {
  return static_cast<std::uint8_t>(std::clamp(value + 0.5F, 0.0F, 255.0F));
}

struct Sample {
  std::array<float, 3> rgb;
  float alpha;
  float dither;  // 1: add triangular noise
};

std::uint32_t word_of(const Colour& colour) {
  return static_cast<std::uint32_t>(colour.red) << 16 |
         static_cast<std::uint32_t>(colour.green) << 8 | colour.blue;
}

// Cairo and over() leave anything in the fourth byte of a canvas without transparency; tint() takes
// it for the pixel's alpha.
void make_opaque(std::uint32_t* words, int count) {
  for (int i = 0; i < count; ++i) words[i] |= 0xff000000U;
}

}  // namespace

Area whole_pixels(const Box& box) {
  const int x = static_cast<int>(std::lround(box.x));
  const int y = static_cast<int>(std::lround(box.y));
  return {x, y, static_cast<int>(std::lround(box.right())) - x,
          static_cast<int>(std::lround(box.bottom())) - y};
}

float grain_at(int x, int y) {
  const std::uint32_t place =
      static_cast<std::uint32_t>(y) * 65536U + static_cast<std::uint32_t>(x);
  return normal(hash(place ^ 0x9e3779b9U));
}

Canvas::Canvas(int width, int height, Ground ground)
    : width_(width),
      height_(height),
      ground_(ground),
      surface_(cairo_image_surface_create(
          ground == Ground::Black ? CAIRO_FORMAT_RGB24 : CAIRO_FORMAT_ARGB32, width, height)),
      context_(cairo_create(surface_.get())) {
  if (cairo_surface_status(surface_.get()) != CAIRO_STATUS_SUCCESS) {
    fail(Cause::Unavailable, "canvas of ", width, "x", height, ": out of memory");
  }
}

Canvas Canvas::copy() const {
  cairo_surface_flush(surface_.get());
  Canvas same(width_, height_, ground_);
  for (int y = 0; y < height_; ++y) std::copy_n(words(y), width_, same.words(y));
  cairo_surface_mark_dirty(same.surface());
  return same;
}

std::uint8_t* Canvas::row(int y) const {
  return cairo_image_surface_get_data(surface_.get()) +
         static_cast<std::ptrdiff_t>(y) * cairo_image_surface_get_stride(surface_.get());
}

std::uint32_t* Canvas::words(int y) const {
  return reinterpret_cast<std::uint32_t*>(row(y));
}

Area Canvas::visible(const Area& area) const {
  const int left = std::max(area.x, 0);
  const int top = std::max(area.y, 0);
  return {left, top, std::min(area.x + area.width, width_) - left,
          std::min(area.y + area.height, height_) - top};
}

Run Canvas::visible(const Run& run) const {
  if (run.y < 0 || run.y >= height_) return {0, 0, 0};
  return {run.y, std::max(run.from, 0), std::min(run.to, width_)};
}

template <typename Pixel>
void Canvas::mix(const Area& area, const Coverage& coverage, Pixel&& pixel) {
  cairo_surface_flush(surface_.get());
  const int right = std::min(area.x + area.width, width_);
  const int bottom = std::min(area.y + area.height, height_);
  for (int y = std::max(area.y, 0); y < bottom; ++y) {
    std::uint8_t* line = row(y);
    const std::size_t covered = static_cast<std::size_t>(y - area.y) * area.width;
    for (int x = std::max(area.x, 0); x < right; ++x) {
      const std::uint8_t cover = coverage.empty() ? 255 : coverage[covered + (x - area.x)];
      if (cover == 0) continue;
      const Sample sample = pixel(x, y);
      const float alpha = sample.alpha * static_cast<float>(cover) / 255.0F;
      if (alpha <= 0) continue;
      std::uint8_t* bgrx = line + static_cast<std::ptrdiff_t>(x) * 4;
      const std::uint32_t place =
          static_cast<std::uint32_t>(y) * 65536U + static_cast<std::uint32_t>(x);
      const std::uint32_t bits = sample.dither > 0 ? hash(place) : 0;
      // The same formula mixes premultiplied colours, which never exceed their alpha.
      const float there = transparent() ? bgrx[3] : 255.0F;
      const std::uint8_t most = level(there + (255 - there) * alpha);
      for (int c = 0; c < 3; ++c) {
        const float below = bgrx[2 - c];
        const float noise = triangular((bits >> (10 * c)) & 1023);
        bgrx[2 - c] =
            std::min(level(below + (sample.rgb[c] - below) * alpha + noise * sample.dither), most);
      }
      if (transparent()) bgrx[3] = most;
    }
  }
  cairo_surface_mark_dirty(surface_.get());
}

void Canvas::blend(const FloatPixels& pixels, const Area& area, const Coverage& coverage,
                   double opacity, double grain) {
  const float strength = static_cast<float>(grain);
  mix(area, coverage, [&](int x, int y) {
    const std::size_t at = (static_cast<std::size_t>(y - area.y) * pixels.width + (x - area.x)) * 3;
    const std::uint32_t place =
        static_cast<std::uint32_t>(y) * 65536U + static_cast<std::uint32_t>(x);
    const float noise = strength > 0 ? normal(hash(place ^ 0x9e3779b9U)) * strength : 0.0F;
    return Sample{{pixels.rgb[at] + noise, pixels.rgb[at + 1] + noise, pixels.rgb[at + 2] + noise},
                  static_cast<float>(opacity),
                  0.5F};
  });
}

void Canvas::blend(const Image& rgb, const Area& area, const Coverage& coverage, double opacity) {
  const kernels::PixelRows& rows = kernels::pixel_rows();
  const Area part = visible(area);
  const auto strength = static_cast<std::uint32_t>(std::lround(opacity * 255));
  std::vector<std::uint32_t> from(static_cast<std::size_t>(std::max(part.width, 0)));
  cairo_surface_flush(surface_.get());
  for (int y = part.y; y < part.y + part.height; ++y) {
    const std::size_t at = static_cast<std::size_t>(y - area.y) * area.width + (part.x - area.x);
    rows.from_rgb(from.data(), rgb.pixels.data() + at * 3, part.width);
    rows.blend(words(y) + part.x, from.data(), coverage.empty() ? nullptr : coverage.data() + at,
               strength, part.width);
  }
  cairo_surface_mark_dirty(surface_.get());
}

void Canvas::blend(const std::vector<std::uint32_t>& pixels, const Area& area,
                   const Coverage& coverage, double opacity) {
  const Area part = visible(area);
  const auto strength = static_cast<std::uint32_t>(std::lround(opacity * 255));
  cairo_surface_flush(surface_.get());
  for (int y = part.y; y < part.y + part.height && part.width > 0; ++y) {
    const std::size_t at = static_cast<std::size_t>(y - area.y) * area.width + (part.x - area.x);
    if (coverage.empty() && strength == 255) {
      std::copy_n(pixels.data() + at, part.width, words(y) + part.x);
      continue;
    }
    kernels::pixel_rows().blend(words(y) + part.x, pixels.data() + at,
                                coverage.empty() ? nullptr : coverage.data() + at, strength,
                                part.width);
  }
  cairo_surface_mark_dirty(surface_.get());
}

void Canvas::shade(const Area& area, const Coverage& coverage, double opacity,
                   const std::function<Colour(double x, double y)>& paint) {
  mix(area, coverage, [&](int x, int y) {
    const Colour colour = paint(x + 0.5, y + 0.5);
    return Sample{{static_cast<float>(colour.red), static_cast<float>(colour.green),
                   static_cast<float>(colour.blue)},
                  static_cast<float>(colour.alpha * opacity),
                  0.5F};
  });
}

void Canvas::shade(const Area& area, const Coverage& coverage, const Colour& colour,
                   const std::function<double(double x, double y)>& strength) {
  const kernels::PixelRows& rows = kernels::pixel_rows();
  const Area part = visible(area);
  std::vector<std::uint16_t> row(static_cast<std::size_t>(std::max(part.width, 0)));
  cairo_surface_flush(surface_.get());
  for (int y = part.y; y < part.y + part.height; ++y) {
    for (int i = 0; i < part.width; ++i) {
      row[static_cast<std::size_t>(i)] = static_cast<std::uint16_t>(
          std::lround(std::clamp(strength(part.x + i + 0.5, y + 0.5), 0.0, 1.0) * 65535));
    }
    if (!coverage.empty()) {
      const std::size_t at = static_cast<std::size_t>(y - area.y) * area.width + (part.x - area.x);
      for (int i = 0; i < part.width; ++i) {
        row[i] = static_cast<std::uint16_t>(row[i] * coverage[at + i] / 255);
      }
    }
    if (!transparent()) make_opaque(words(y) + part.x, part.width);
    rows.tint(words(y) + part.x, row.data(), 65536, word_of(colour), part.x, y, part.width);
  }
  cairo_surface_mark_dirty(surface_.get());
}

void Canvas::shade(const Area& area, const std::vector<std::uint16_t>& strengths,
                   const Colour& colour, double amount) {
  const Area part = visible(area);
  const auto share = static_cast<std::uint32_t>(std::lround(std::clamp(amount, 0.0, 1.0) * 65536));
  cairo_surface_flush(surface_.get());
  for (int y = part.y; y < part.y + part.height; ++y) {
    const std::size_t at = static_cast<std::size_t>(y - area.y) * area.width + (part.x - area.x);
    if (!transparent()) make_opaque(words(y) + part.x, part.width);
    kernels::pixel_rows().tint(words(y) + part.x, strengths.data() + at, share, word_of(colour),
                               part.x, y, part.width);
  }
  cairo_surface_mark_dirty(surface_.get());
}

void Canvas::fill(std::span<const Run> runs, const Colour& colour, double opacity) {
  for (const Run& run : runs) {
    const Run part = visible(run);
    if (part.from >= part.to) continue;
    cairo_rectangle(context_.get(), part.from, part.y, part.to - part.from, 1);
  }
  cairo_set_source_rgba(context_.get(), colour.red / 255.0, colour.green / 255.0,
                        colour.blue / 255.0, colour.alpha * opacity);
  cairo_fill(context_.get());
}

void Canvas::lay(const Plane& plane) {
  cairo_surface_flush(surface_.get());
  for (int y = 0; y < plane.area.height; ++y) {
    const auto [from, to] = plane.visible[static_cast<std::size_t>(y)];
    kernels::pixel_rows().over(
        words(plane.area.y + y) + plane.area.x + from,
        plane.pixels.data() + static_cast<std::size_t>(y) * plane.area.width + from, to - from);
  }
  cairo_surface_mark_dirty(surface_.get());
}

Plane Canvas::plane() const {
  cairo_surface_flush(surface_.get());
  std::vector<std::pair<int, int>> visible_of(static_cast<std::size_t>(height_));
  int left = width_;
  int right = 0;
  int top = height_;
  int bottom = 0;
  for (int y = 0; y < height_; ++y) {
    const std::uint32_t* line = words(y);
    int from = 0;
    int to = width_;
    while (from < to && line[from] == 0) ++from;
    while (to > from && line[to - 1] == 0) --to;
    visible_of[static_cast<std::size_t>(y)] = {from, to};
    if (from == to) continue;
    left = std::min(left, from);
    right = std::max(right, to);
    top = std::min(top, y);
    bottom = y + 1;
  }
  Plane plane;
  if (top >= bottom) return plane;
  plane.area = {left, top, right - left, bottom - top};
  plane.pixels.reserve(static_cast<std::size_t>(plane.area.width) * plane.area.height);
  for (int y = top; y < bottom; ++y) {
    plane.pixels.insert(plane.pixels.end(), words(y) + left, words(y) + right);
    const auto [from, to] = visible_of[static_cast<std::size_t>(y)];
    plane.visible.emplace_back(from == to ? 0 : from - left, from == to ? 0 : to - left);
  }
  return plane;
}

double Canvas::least_amount(std::span<const Run> runs, double text_luminance, double needed,
                            const Colour& colour, double low, double high, const Area& shaded,
                            const std::vector<std::uint16_t>& strengths) const {
  cairo_surface_flush(surface_.get());
  const std::array<double, 256>& linear = linear_light();
  // Between these luminances the contrast is too low.
  const double darkest = (text_luminance + 0.05) / needed - 0.05;
  const double lightest = (text_luminance + 0.05) * needed - 0.05;
  const std::uint32_t cover = word_of(colour);
  const auto holds = [&](std::uint32_t pixel, double laid) {
    const auto share = static_cast<std::int32_t>(laid * 32768 + 0.5);
    std::uint32_t mixed = 0;
    for (int shift = 0; shift < 24; shift += 8) {
      const auto below = static_cast<std::int32_t>(pixel >> shift & 255);
      const auto above = static_cast<std::int32_t>(cover >> shift & 255);
      mixed |= static_cast<std::uint32_t>((below * 32768 + (above - below) * share + 16384) >> 15)
               << shift;
    }
    const double light = luminance_of(linear, mixed);
    return light <= darkest || light >= lightest;
  };
  double amount = low;
  for (const Run& run : runs) {
    const Run part = visible(run);
    if (part.from >= part.to) continue;
    const std::uint32_t* line = words(run.y);
    const bool in_rows = run.y >= shaded.y && run.y < shaded.y + shaded.height;
    const std::uint16_t* row =
        strengths.data() + (in_rows ? std::ptrdiff_t{run.y - shaded.y} * shaded.width : 0);
    for (int x = part.from; x < part.to && amount < high; ++x) {
      const bool inside = in_rows && x >= shaded.x && x < shaded.x + shaded.width;
      const double strength = inside ? row[x - shaded.x] / 65535.0 : 0;
      if (holds(line[x], amount * strength)) continue;
      double least = amount;
      double most = high;
      for (int i = 0; i < 9; ++i) {
        const double middle = (least + most) / 2;
        (holds(line[x], middle * strength) ? most : least) = middle;
      }
      amount = most;
    }
  }
  return amount;
}

double Canvas::lowest_contrast(std::span<const Run> runs, const Colour& text,
                               double opacity) const {
  return lowest_contrast(runs, text, opacity, text, 0, [](double, double) { return 0.0; });
}

// The contrast of opaque text is lowest on the pixels next to it in luminance, above or below.
double Canvas::nearest_contrast(std::span<const Run> runs, double text_luminance) const {
  const std::array<double, 256>& linear = linear_light();
  double darker = -1;
  double lighter = 2;
  for (const Run& run : runs) {
    const Run part = visible(run);
    if (part.from >= part.to) continue;
    const std::uint32_t* line = words(run.y);
    for (int x = part.from; x < part.to; ++x) {
      const double light = luminance_of(linear, line[x]);
      if (light <= text_luminance) {
        darker = std::max(darker, light);
      } else {
        lighter = std::min(lighter, light);
      }
    }
  }
  double lowest = 21;
  if (darker >= 0) lowest = std::min(lowest, contrast(darker, text_luminance));
  if (lighter <= 1) lowest = std::min(lowest, contrast(lighter, text_luminance));
  return lowest;
}

double Canvas::lowest_contrast(std::span<const Run> runs, const Colour& text, double opacity,
                               const Colour& colour, double amount,
                               const std::function<double(double x, double y)>& strength) const {
  cairo_surface_flush(surface_.get());
  const std::array<int, 3> ink = {text.red, text.green, text.blue};
  const std::array<int, 3> cover = {colour.red, colour.green, colour.blue};
  const double opaque_ink = luminance(text);
  if (amount <= 0 && opacity >= 1) return nearest_contrast(runs, opaque_ink);
  double lowest = 21;
  for (const Run& run : runs) {
    const Run part = visible(run);
    if (part.from >= part.to) continue;
    const std::uint32_t* line = words(run.y);
    for (int x = part.from; x < part.to; ++x) {
      const double laid = amount > 0 ? amount * strength(x + 0.5, run.y + 0.5) : 0;
      std::array<std::uint8_t, 3> below{};
      std::array<std::uint8_t, 3> above{};
      for (int c = 0; c < 3; ++c) {
        const int pixel = static_cast<int>(line[x] >> (8 * (2 - c)) & 255);
        const double under = pixel + (cover[c] - pixel) * laid;
        below[c] = level(static_cast<float>(under));
        above[c] = level(static_cast<float>(under + (ink[c] - under) * opacity));
      }
      lowest = std::min(
          lowest, contrast(luminance(below[0], below[1], below[2]),
                           opacity >= 1 ? opaque_ink : luminance(above[0], above[1], above[2])));
    }
  }
  return lowest;
}

std::vector<std::uint32_t> Canvas::opaque_words() const {
  cairo_surface_flush(surface_.get());
  std::vector<std::uint32_t> all;
  all.reserve(static_cast<std::size_t>(width_) * height_);
  for (int y = 0; y < height_; ++y) {
    for (int x = 0; x < width_; ++x) all.push_back(words(y)[x] | 0xff000000U);
  }
  return all;
}

Image Canvas::image() const {
  cairo_surface_flush(surface_.get());
  Image image;
  image.width = width_;
  image.height = height_;
  // Row by row into the reserved end: a picture that is cleared first is written twice.
  image.pixels.reserve(image.stride() * height_);
  std::vector<std::uint8_t> rgb(image.stride());
  for (int y = 0; y < height_; ++y) {
    kernels::pixel_rows().to_rgb(rgb.data(), words(y), width_);
    image.pixels.insert(image.pixels.end(), rgb.begin(), rgb.end());
  }
  return image;
}

}  // namespace affiche::cards
