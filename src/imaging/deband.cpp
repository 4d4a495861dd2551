// SPDX-License-Identifier: Apache-2.0
#include "imaging/deband.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

namespace affiche {
namespace {

// Mean over 2 r + 1 values along a line; at its ends over those that there are.
void box_line(const float* in, float* out, int count, int stride, int r) {
  float sum = 0;
  int n = 0;
  for (int i = 0; i < std::min(r, count); ++i, ++n) sum += in[i * stride];
  for (int i = 0; i < count; ++i) {
    if (i + r < count) {
      sum += in[(i + r) * stride];
      ++n;
    }
    if (i - r - 1 >= 0) {
      sum -= in[(i - r - 1) * stride];
      --n;
    }
    out[i * stride] = sum / static_cast<float>(n);
  }
}

void box_blur(std::vector<float>& plane, int width, int height, int r) {
  std::vector<float> other(plane.size());
  for (int y = 0; y < height; ++y)
    for (int c = 0; c < 3; ++c) {
      const auto at = static_cast<std::size_t>(y) * static_cast<std::size_t>(width) * 3 +
                      static_cast<std::size_t>(c);
      box_line(&plane[at], &other[at], width, 3, r);
    }
  for (int x = 0; x < width * 3; ++x)
    box_line(&other[static_cast<std::size_t>(x)], &plane[static_cast<std::size_t>(x)], height,
             width * 3, r);
}

float soft_step(float low, float high, float x) {
  const float t = std::clamp((x - low) / (high - low), 0.0F, 1.0F);
  return t * t * (3 - 2 * t);
}

}  // namespace

std::vector<float> fine_levels(const Image& image) {
  const auto pixels =
      static_cast<std::size_t>(image.width) * static_cast<std::size_t>(image.height);
  std::vector<float> levels(pixels * 3);
  for (std::size_t i = 0; i < pixels; ++i)
    for (std::size_t c = 0; c < 3; ++c)
      levels[i * 3 + c] = image.pixels[i * static_cast<std::size_t>(image.channels) + c];
  std::vector<float> smooth = levels;
  // Wide enough to span several steps of a slow ramp; three times a box is nearly a bell.
  const int r = std::max(2, std::min(image.width, image.height) / 48);
  for (int i = 0; i < 3; ++i) box_blur(smooth, image.width, image.height, r);
  for (std::size_t i = 0; i < pixels; ++i) {
    float away = 0;
    for (std::size_t c = 0; c < 3; ++c)
      away = std::max(away, std::fabs(smooth[i * 3 + c] - levels[i * 3 + c]));
    const float keep = soft_step(0.8F, 2.2F, away);
    for (std::size_t c = 0; c < 3; ++c)
      levels[i * 3 + c] = smooth[i * 3 + c] + keep * (levels[i * 3 + c] - smooth[i * 3 + c]);
  }
  return levels;
}

double banding(const Image& image) {
  constexpr int kLeastRun = 6, kMostStep = 6;
  if (image.width < 2 * kLeastRun || image.height < 3) return 0;
  const auto luma = [&](int x, int y) {
    const std::uint8_t* p = &image.pixels[static_cast<std::size_t>(y) * image.stride() +
                                          static_cast<std::size_t>(x * image.channels)];
    return 2 * p[0] + 5 * p[1] + p[2];  // 8 times the brightness
  };
  const auto steps_at = [&](int x, int y) {  // between x - 1 and x
    const int step = std::abs(luma(x, y) - luma(x - 1, y));
    return step >= 1 && step <= 8 * kMostStep;
  };
  // A step of a band is a line: the next row has it at most one pixel aside.
  const auto goes_on = [&](int x, int y) {
    const int low = std::max(1, x - 1), high = std::min(image.width - 1, x + 1);
    for (int i = low; i <= high; ++i)
      if (steps_at(i, y)) return true;
    return false;
  };
  std::size_t banded = 0;
  for (int y = 1; y + 1 < image.height; ++y) {
    int start = 0;  // of the present run; the picture's border is no step
    for (int x = 1; x <= image.width; ++x) {
      if (x < image.width && luma(x, y) == luma(x - 1, y)) continue;
      const int run = x - start;
      const bool bounded = start > 0 && x < image.width;
      if (run >= kLeastRun && bounded && steps_at(start, y) && steps_at(x, y) &&
          goes_on(start, y - 1) && goes_on(start, y + 1) && goes_on(x, y - 1) && goes_on(x, y + 1))
        banded += static_cast<std::size_t>(run);
      start = x;
    }
  }
  return static_cast<double>(banded) /
         (static_cast<double>(image.width) * static_cast<double>(image.height - 2));
}

}  // namespace affiche
