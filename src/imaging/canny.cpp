// SPDX-License-Identifier: Apache-2.0
#include "imaging/canny.h"

#include <algorithm>
#include <cstdlib>

namespace affiche {
namespace {

struct Gradient {
  int x = 0, y = 0, size = 0;
};

struct Field {
  int width, height;
  std::vector<Gradient> cells;

  const Gradient& at(int x, int y) const {
    return cells[static_cast<std::size_t>(y) * static_cast<std::size_t>(width) +
                 static_cast<std::size_t>(x)];
  }
  int size(int x, int y) const {
    return x < 0 || y < 0 || x >= width || y >= height ? 0 : at(x, y).size;
  }
};

// The border's pixels repeat beyond it.
Gradient sobel(const Image& image, int x, int y) {
  const auto row = [&](int at) {
    return image.pixels.data() +
           static_cast<std::size_t>(std::clamp(at, 0, image.height - 1)) * image.stride();
  };
  const auto column = [&](int at) {
    return static_cast<std::size_t>(std::clamp(at, 0, image.width - 1)) *
           static_cast<std::size_t>(image.channels);
  };
  const std::uint8_t *above = row(y - 1), *here = row(y), *below = row(y + 1);
  const std::size_t left = column(x - 1), centre = column(x), right = column(x + 1);
  Gradient largest;
  for (std::size_t c = 0; c < 3; ++c) {
    const int dx = above[right + c] - above[left + c] + 2 * (here[right + c] - here[left + c]) +
                   below[right + c] - below[left + c];
    const int dy = below[left + c] - above[left + c] + 2 * (below[centre + c] - above[centre + c]) +
                   below[right + c] - above[right + c];
    const int size = std::abs(dx) + std::abs(dy);
    if (c == 0 || size > largest.size) largest = {dx, dy, size};
  }
  return largest;
}

// Larger than both neighbours across the edge; tan(22.5 degrees) in 15 bits splits the directions.
bool is_ridge(const Field& field, int x, int y) {
  constexpr std::int64_t kTan22 = 13573;
  const Gradient& g = field.at(x, y);
  const std::int64_t ax = std::abs(g.x), ay = static_cast<std::int64_t>(std::abs(g.y)) << 15;
  const std::int64_t flat = ax * kTan22;
  if (ay < flat) return g.size > field.size(x - 1, y) && g.size >= field.size(x + 1, y);
  const std::int64_t steep = flat + (ax << 16);
  if (ay > steep) return g.size > field.size(x, y - 1) && g.size >= field.size(x, y + 1);
  const int s = (g.x ^ g.y) < 0 ? -1 : 1;
  return g.size > field.size(x - s, y - 1) && g.size > field.size(x + s, y + 1);
}

}  // namespace

Image canny(const Image& image, int low, int high) {
  if (low > high) std::swap(low, high);
  Field field{image.width, image.height, {}};
  field.cells.reserve(static_cast<std::size_t>(image.width) *
                      static_cast<std::size_t>(image.height));
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) field.cells.push_back(sobel(image, x, y));
  }
  enum : std::uint8_t { kNone, kWeak, kEdge };
  std::vector<std::uint8_t> state(field.cells.size(), kNone);
  std::vector<std::size_t> open;
  for (int y = 0; y < image.height; ++y) {
    for (int x = 0; x < image.width; ++x) {
      const std::size_t i = static_cast<std::size_t>(y) * static_cast<std::size_t>(image.width) +
                            static_cast<std::size_t>(x);
      if (field.cells[i].size <= low || !is_ridge(field, x, y)) continue;
      state[i] = field.cells[i].size > high ? kEdge : kWeak;
      if (state[i] == kEdge) open.push_back(i);
    }
  }
  Image edges = make_image(image.width, image.height, 3);
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    std::fill_n(edges.pixels.begin() + static_cast<std::ptrdiff_t>(3 * i), 3, std::uint8_t{255});
    const int x = static_cast<int>(i % static_cast<std::size_t>(image.width));
    const int y = static_cast<int>(i / static_cast<std::size_t>(image.width));
    for (int ny = std::max(y - 1, 0); ny <= std::min(y + 1, image.height - 1); ++ny) {
      for (int nx = std::max(x - 1, 0); nx <= std::min(x + 1, image.width - 1); ++nx) {
        const std::size_t n = static_cast<std::size_t>(ny) * static_cast<std::size_t>(image.width) +
                              static_cast<std::size_t>(nx);
        if (state[n] != kWeak) continue;
        state[n] = kEdge;
        open.push_back(n);
      }
    }
  }
  return edges;
}

}  // namespace affiche
