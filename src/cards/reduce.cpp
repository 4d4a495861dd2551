// SPDX-License-Identifier: Apache-2.0
#include "cards/reduce.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "cards/kernels/pixel_rows.h"

namespace affiche::cards {
namespace {

// Duchon, "Lanczos filtering in one and two dimensions", 1979, with a = 3.
double lanczos(double x) {
  x = std::abs(x) * std::numbers::pi;
  if (x < 1e-9) return 1;
  if (x >= 3 * std::numbers::pi) return 0;
  return 3 * std::sin(x) * std::sin(x / 3) / (x * x);
}

// The taps of all target pixels along one axis.
class Axis {
 public:
  // `start`: where the box begins in the part; `source`: pixels of the part along the axis.
  Axis(double start, double length, int source, int target) {
    const double step = length / target;
    const double widen = std::max(1.0, step);
    const int reach = static_cast<int>(std::ceil(3 * widen)) * 2 + 1;
    weights_.resize(static_cast<std::size_t>(target) * reach);
    taps_.resize(static_cast<std::size_t>(target));
    for (int i = 0; i < target; ++i) {
      const double centre = start + (i + 0.5) * step - 0.5;
      float* weights = weights_.data() + static_cast<std::size_t>(i) * reach;
      const int from = static_cast<int>(std::ceil(centre - 3 * widen));
      const int to = static_cast<int>(std::floor(centre + 3 * widen));
      const int first = std::clamp(from, 0, source - 1);
      double sum = 0;
      for (int at = from; at <= to; ++at) sum += lanczos((at - centre) / widen);
      for (int at = from; at <= to; ++at) {
        weights[std::clamp(at, 0, source - 1) - first] +=
            static_cast<float>(lanczos((at - centre) / widen) / sum);
      }
      taps_[static_cast<std::size_t>(i)] = {first, std::clamp(to, 0, source - 1) - first + 1,
                                            weights};
    }
  }
  const kernels::Taps* taps() const { return taps_.data(); }

 private:
  std::vector<float> weights_;
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
  std::vector<float> sums(static_cast<std::size_t>(part.width) * 4);
  std::vector<std::uint32_t> row(static_cast<std::size_t>(width));
  // Words as bytes: blue, green, red and the unused one are summed alike.
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(part.pixels.data());
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
