// SPDX-License-Identifier: Apache-2.0
#include "imaging/resize.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace affiche {
namespace {

constexpr int kPrecision = 32 - 8 - 2;  // 8 bits of colour, 2 for negative lobes

double bilinear(double x) {
  return std::max(0.0, 1 - std::abs(x));
}

double bicubic(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1) return ((kA + 2) * x - (kA + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * kA;
  return 0;
}

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) {
  return x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0;
}

struct Kernel {
  double (*weight)(double);
  double support;
};

Kernel kernel_of(Filter filter) {
  if (filter == Filter::Bilinear) return {bilinear, 1};
  if (filter == Filter::Bicubic) return {bicubic, 2};
  return {lanczos, 3};
}

// Source pixels and weights of one pixel of the result.
struct Taps {
  int first = 0;
  std::vector<std::int32_t> weights;
};

std::vector<Taps> taps_of(const Kernel& kernel, int in, double begin, double end, int out) {
  const double scale = (end - begin) / out;
  const double stretch = std::max(scale, 1.0);
  const double support = kernel.support * stretch;
  std::vector<Taps> all(static_cast<std::size_t>(out));
  std::vector<double> weights;
  for (int i = 0; i < out; ++i) {
    const double centre = begin + (i + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - support + 0.5));
    const int last = std::min(in, static_cast<int>(centre + support + 0.5));
    weights.clear();
    double sum = 0;
    for (int x = first; x < last; ++x) {
      weights.push_back(kernel.weight((x - centre + 0.5) * (1 / stretch)));
      sum += weights.back();
    }
    Taps& taps = all[static_cast<std::size_t>(i)];
    taps.first = first;
    for (const double weight : weights) {
      const double share = (sum != 0 ? weight / sum : weight) * (1 << kPrecision);
      taps.weights.push_back(static_cast<std::int32_t>(share < 0 ? share - 0.5 : share + 0.5));
    }
  }
  return all;
}

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> kPrecision, 0, 255));
}

// `step`: bytes from one tap to the next; `from` is the first channel of source pixel 0.
void filter_pixel(const std::uint8_t* from, std::size_t step, const Taps& taps, int channels,
                  std::uint8_t* to) {
  for (int c = 0; c < channels; ++c) {
    std::int32_t sum = 1 << (kPrecision - 1);
    const std::uint8_t* value = from + static_cast<std::size_t>(taps.first) * step + c;
    for (const std::int32_t weight : taps.weights) {
      sum += *value * weight;
      value += step;
    }
    to[c] = rounded(sum);
  }
}

Image along_rows(const Image& image, const std::vector<Taps>& taps) {
  Image out = make_image(static_cast<int>(taps.size()), image.height, image.channels);
  const auto step = static_cast<std::size_t>(image.channels);
  for (int y = 0; y < image.height; ++y) {
    const std::uint8_t* row = image.pixels.data() + static_cast<std::size_t>(y) * image.stride();
    std::uint8_t* to = out.pixels.data() + static_cast<std::size_t>(y) * out.stride();
    for (const Taps& tap : taps) {
      filter_pixel(row, step, tap, image.channels, to);
      to += step;
    }
  }
  return out;
}

Image along_columns(const Image& image, const std::vector<Taps>& taps) {
  Image out = make_image(image.width, static_cast<int>(taps.size()), image.channels);
  const auto step = static_cast<std::size_t>(image.channels);
  std::uint8_t* to = out.pixels.data();
  for (const Taps& tap : taps) {
    for (int x = 0; x < image.width; ++x) {
      filter_pixel(image.pixels.data() + static_cast<std::size_t>(x) * step, image.stride(), tap,
                   image.channels, to);
      to += step;
    }
  }
  return out;
}

}  // namespace

Image resize(const Image& image, int width, int height, Filter filter) {
  return resize(image, width, height, filter,
                {0, 0, static_cast<double>(image.width), static_cast<double>(image.height)});
}

Image resize(const Image& image, int width, int height, Filter filter, const Box& box) {
  const bool inside = box.left >= 0 && box.top >= 0 && box.right >= box.left &&
                      box.bottom >= box.top && box.right <= image.width &&
                      box.bottom <= image.height;
  if (image.empty() || !inside) {
    fail(Cause::BadInput, "resize: the part ", box.left, ",", box.top, " to ", box.right, ",",
         box.bottom, " does not lie in a picture of ", image.width, "x", image.height);
  }
  if (width < 1 || height < 1 || width > 32768 || height > 32768) {
    fail(Cause::BadInput, "resize: expected 1 to 32768 pixels a side, found ", width, "x", height);
  }
  const Kernel kernel = kernel_of(filter);
  Image result = image;
  const auto rows = [&] {
    if (width == image.width && box.left == 0 && box.right == width) return;
    result = along_rows(result, taps_of(kernel, image.width, box.left, box.right, width));
  };
  const auto columns = [&] {
    if (height == image.height && box.top == 0 && box.bottom == height) return;
    result = along_columns(result, taps_of(kernel, image.height, box.top, box.bottom, height));
  };
  // Each pass rounds to 8 bits, so their order shows. Pillow 13 looks at what the height loses.
  const int lost = image.height - height;
  if (lost > 0 && lost > 2 * (image.width - width)) {
    columns();
    rows();
  } else {
    rows();
    columns();
  }
  return result;
}

Image crop(const Image& image, int left, int top, int right, int bottom) {
  Image out = make_image(right - left, bottom - top, image.channels);
  const int from = std::max(left, 0), to = std::min(right, image.width);
  for (int y = std::max(top, 0); y < std::min(bottom, image.height); ++y) {
    if (to <= from) break;
    const std::size_t bytes = static_cast<std::size_t>(to - from) * image.channels;
    const auto source = image.pixels.begin() + static_cast<std::ptrdiff_t>(
                                                   static_cast<std::size_t>(y) * image.stride() +
                                                   static_cast<std::size_t>(from) * image.channels);
    std::copy_n(source, bytes,
                out.pixels.begin() + static_cast<std::ptrdiff_t>(
                                         static_cast<std::size_t>(y - top) * out.stride() +
                                         static_cast<std::size_t>(from - left) * out.channels));
  }
  return out;
}

void paste(Image& image, const Image& part, int left, int top) {
  if (image.channels != part.channels) fail(Cause::Internal, "paste: other channels");
  const int from = std::max(left, 0), to = std::min(left + part.width, image.width);
  if (to <= from) return;
  for (int y = std::max(top, 0); y < std::min(top + part.height, image.height); ++y) {
    const std::size_t bytes = static_cast<std::size_t>(to - from) * part.channels;
    std::copy_n(part.pixels.begin() + static_cast<std::ptrdiff_t>(
                                          static_cast<std::size_t>(y - top) * part.stride() +
                                          static_cast<std::size_t>(from - left) * part.channels),
                bytes,
                image.pixels.begin() +
                    static_cast<std::ptrdiff_t>(static_cast<std::size_t>(y) * image.stride() +
                                                static_cast<std::size_t>(from) * image.channels));
  }
}

Image to_rgb(const Image& image) {
  if (image.channels == 3) return image;
  Image out = make_image(image.width, image.height, 3);
  for (std::size_t i = 0; i < out.pixels.size() / 3; ++i) {
    std::copy_n(image.pixels.begin() + static_cast<std::ptrdiff_t>(4 * i), 3,
                out.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i));
  }
  return out;
}

std::vector<std::uint8_t> to_luma(const Image& image) {
  std::vector<std::uint8_t> luma;
  luma.reserve(image.pixels.size() / static_cast<std::size_t>(image.channels));
  for (std::size_t i = 0; i < image.pixels.size(); i += static_cast<std::size_t>(image.channels)) {
    const std::uint32_t sum = image.pixels[i] * 19595U + image.pixels[i + 1] * 38470U +
                              image.pixels[i + 2] * 7471U + 0x8000U;
    luma.push_back(static_cast<std::uint8_t>(sum >> 16));
  }
  return luma;
}

}  // namespace affiche
