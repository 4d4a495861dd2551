// SPDX-License-Identifier: Apache-2.0
#include "cards/resample.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace affiche::cards {
namespace {

// Mitchell and Netravali, "Reconstruction Filters in Computer Graphics", 1988, with B = C = 1/3.
double mitchell(double x) {
  x = std::abs(x);
  if (x < 1) return (7 * x * x * x - 12 * x * x + 16.0 / 3) / 6;
  if (x < 2) return (-7.0 / 3 * x * x * x + 12 * x * x - 20 * x + 32.0 / 3) / 6;
  return 0;
}

// The source pixels that make one target pixel, and their weights.
struct Taps {
  int first = 0;
  std::vector<float> weights;
};

// `scale` target pixels per source pixel; the target's middle is at `focus` of the source, or as
// near as its edges allow.
std::vector<Taps> make_taps(int source, int target, double scale, double focus) {
  const double half = target / scale / 2;
  const double middle = std::clamp(focus * source, std::min(half, source / 2.0),
                                   std::max(source - half, source / 2.0));
  const double widen = std::max(1.0, 1 / scale);
  const double radius = 2 * widen;
  std::vector<Taps> all(static_cast<std::size_t>(target));
  for (int i = 0; i < target; ++i) {
    const double centre = (i + 0.5 - target / 2.0) / scale + middle - 0.5;
    Taps& taps = all[static_cast<std::size_t>(i)];
    const int from = static_cast<int>(std::ceil(centre - radius));
    const int to = static_cast<int>(std::floor(centre + radius));
    taps.first = std::clamp(from, 0, source - 1);
    taps.weights.assign(static_cast<std::size_t>(std::clamp(to, 0, source - 1) - taps.first) + 1,
                        0);
    double sum = 0;
    for (int at = from; at <= to; ++at) sum += mitchell((at - centre) / widen);
    for (int at = from; at <= to; ++at) {
      const int inside = std::clamp(at, 0, source - 1);
      taps.weights[static_cast<std::size_t>(inside - taps.first)] +=
          static_cast<float>(mitchell((at - centre) / widen) / sum);
    }
  }
  return all;
}

// One row of the source, `taps.size()` pixels wide.
void resample_row(const std::uint8_t* row, int channels, const std::vector<Taps>& taps,
                  float* out) {
  for (const Taps& tap : taps) {
    float sum[3] = {0, 0, 0};
    const std::uint8_t* pixel = row + static_cast<std::ptrdiff_t>(tap.first) * channels;
    for (const float weight : tap.weights) {
      for (int c = 0; c < 3; ++c) sum[c] += weight * static_cast<float>(pixel[c]);
      pixel += channels;
    }
    out = std::copy(sum, sum + 3, out);
  }
}

}  // namespace

FloatPixels resample_to_cover(const Image& source, int width, int height, double zoom,
                              double focus_x, double focus_y) {
  if (source.empty() || source.pixels.size() != source.stride() * source.height ||
      source.channels < 3) {
    fail(Cause::Internal, "picture of ", source.width, "x", source.height, " holds ",
         source.pixels.size(), " bytes");
  }
  const double scale = zoom * std::max(static_cast<double>(width) / source.width,
                                       static_cast<double>(height) / source.height);
  const std::vector<Taps> across = make_taps(source.width, width, scale, focus_x);
  const std::vector<Taps> down = make_taps(source.height, height, scale, focus_y);
  const std::size_t stride = static_cast<std::size_t>(width) * 3;
  std::vector<float> rows(stride * source.height);
  for (int y = 0; y < source.height; ++y) {
    resample_row(source.pixels.data() + static_cast<std::size_t>(y) * source.stride(),
                 source.channels, across, rows.data() + static_cast<std::size_t>(y) * stride);
  }
  FloatPixels result{width, height, std::vector<float>(stride * height)};
  for (int y = 0; y < height; ++y) {
    const Taps& tap = down[static_cast<std::size_t>(y)];
    float* out = result.rgb.data() + static_cast<std::size_t>(y) * stride;
    const float* row = rows.data() + static_cast<std::size_t>(tap.first) * stride;
    for (const float weight : tap.weights) {
      for (std::size_t i = 0; i < stride; ++i) out[i] += weight * row[i];
      row += stride;
    }
  }
  return result;
}

}  // namespace affiche::cards
