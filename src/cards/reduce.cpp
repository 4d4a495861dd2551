// SPDX-License-Identifier: Apache-2.0
#include "cards/reduce.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cards/kernels/pixel_rows.h"

namespace affiche::cards {
namespace {

// Duchon, "Lanczos filtering in one and two dimensions", 1979, with a = 3: 3 sin(x) sin(x / 3) / x²
// for pi times `x`, where sin(x) is 3s - 4s³ of s = sin(x / 3).
double lanczos(double x) {
  x = std::abs(x) * std::numbers::pi;
  if (x < 1e-9) return 1;
  if (x >= 3 * std::numbers::pi) return 0;
  const double s = std::sin(x / 3);
  return 3 * s * s * (3 - 4 * s * s) / (x * x);
}

constexpr int kOne = 1 << kernels::kWeightBits;

// Weights of sum 1 as whole numbers of sum kOne, so that plain colours stay as they are: the
// largest takes what rounding left over.
void round_weights(const std::vector<double>& exact, std::int16_t* to) {
  int sum = 0;
  std::size_t largest = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    to[i] = static_cast<std::int16_t>(std::lround(std::clamp(exact[i], -1.9, 1.9) * kOne));
    sum += to[i];
    if (exact[i] > exact[largest]) largest = i;
  }
  to[largest] = static_cast<std::int16_t>(to[largest] + kOne - sum);
}

// The taps of all target pixels along one axis.
class Axis {
 public:
  // `start`: where the box begins in the part; `source`: pixels of the part along the axis.
  Axis(double start, double length, int source, int target) {
    const double step = length / target;
    const double widen = std::max(1.0, step);
    const int most = static_cast<int>(std::ceil(3 * widen)) * 2 + 1;
    const int reach = (most + kernels::kTapStep - 1) / kernels::kTapStep * kernels::kTapStep;
    weights_.resize(static_cast<std::size_t>(target) * reach);
    taps_.resize(static_cast<std::size_t>(target));
    std::vector<double> exact;
    for (int i = 0; i < target; ++i) {
      const double centre = start + (i + 0.5) * step - 0.5;
      const int from = static_cast<int>(std::ceil(centre - 3 * widen));
      const int to = static_cast<int>(std::floor(centre + 3 * widen));
      const int first = std::clamp(from, 0, source - 1);
      exact.assign(static_cast<std::size_t>(std::clamp(to, 0, source - 1) - first + 1), 0);
      double sum = 0;
      for (int at = from; at <= to; ++at) {
        const double weight = lanczos((at - centre) / widen);
        sum += weight;
        exact[static_cast<std::size_t>(std::clamp(at, 0, source - 1) - first)] += weight;
      }
      for (double& weight : exact) weight /= sum;
      std::int16_t* weights = weights_.data() + static_cast<std::size_t>(i) * reach;
      round_weights(exact, weights);
      taps_[static_cast<std::size_t>(i)] = {first, static_cast<int>(exact.size()), weights};
    }
  }
  const kernels::Taps* taps() const { return taps_.data(); }

 private:
  std::vector<std::int16_t> weights_;
  std::vector<kernels::Taps> taps_;
};

}  // namespace

int filter_reach(double step) {
  return static_cast<int>(std::ceil(3 * std::max(1.0, step))) + 1;
}

Image scale_box(const JpegPart& part, const SourceBox& box, int width, int height) {
  const kernels::PixelRows& rows = kernels::pixel_rows();
  const Axis across(box.x - part.x, box.width, part.width, width);
  const Axis down(box.y - part.y, box.height, part.height, height);
  Image image = make_image(width, height, 3);
  std::vector<std::int16_t> sums((static_cast<std::size_t>(part.width) + kernels::kTapStep) * 4);
  std::vector<std::uint32_t> row(static_cast<std::size_t>(width));
  // Words as bytes: blue, green, red and the unused one are summed alike.
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(part.pixels.get());
  const std::ptrdiff_t stride = std::ptrdiff_t{4} * part.width;
  for (int y = 0; y < height; ++y) {
    rows.sum_rows(sums.data(), bytes, stride, down.taps()[y], part.width * 4);
    rows.sum_pixels(row.data(), sums.data(), across.taps(), width);
    rows.to_rgb(image.pixels.data() + static_cast<std::size_t>(y) * image.stride(), row.data(),
                width);
  }
  return image;
}

}  // namespace affiche::cards
