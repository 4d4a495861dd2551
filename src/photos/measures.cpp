// SPDX-License-Identifier: Apache-2.0
#include "photos/measures.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "imaging/resize.h"

namespace affiche::photos {
namespace {

constexpr int kLongSide = 512;
constexpr int kTile = 16;
constexpr double kCrisp = 400;  // mean square of the Laplacian at which focus is one half

Image small(const Image& image) {
  const int longest = std::max(image.width, image.height);
  const Image rgb = image.channels == 4 ? to_rgb(image) : image;
  if (longest <= kLongSide) return rgb;
  const auto scaled = [&](int side) {
    return std::max(1,
                    static_cast<int>(std::lround(static_cast<double>(side) * kLongSide / longest)));
  };
  return resize(rgb, scaled(image.width), scaled(image.height), Filter::Bilinear);
}

std::uint64_t print_of(const Image& image) {
  const std::vector<std::uint8_t> luma = to_luma(resize(image, 9, 8, Filter::Bilinear));
  std::uint64_t print = 0;
  for (std::size_t y = 0; y < 8; ++y) {
    for (std::size_t x = 0; x < 8; ++x) {
      print = print << 1 | (luma[y * 9 + x + 1] > luma[y * 9 + x] ? 1u : 0u);
    }
  }
  return print;
}

// Mean square of the Laplacian (the four neighbours less four times the pixel) of each whole tile.
std::vector<double> edges_of_tiles(const std::vector<std::uint8_t>& luma, int width, int height) {
  std::vector<double> tiles;
  const auto at = [&](int x, int y) {
    return static_cast<int>(luma[static_cast<std::size_t>(y) * width + x]);
  };
  for (int top = 1; top + kTile < height; top += kTile) {
    for (int left = 1; left + kTile < width; left += kTile) {
      double sum = 0;
      for (int y = top; y < top + kTile; ++y) {
        for (int x = left; x < left + kTile; ++x) {
          const int edge = at(x - 1, y) + at(x + 1, y) + at(x, y - 1) + at(x, y + 1) - 4 * at(x, y);
          sum += static_cast<double>(edge) * edge;
        }
      }
      tiles.push_back(sum / (kTile * kTile));
    }
  }
  return tiles;
}

double focus_of(std::vector<double> tiles) {
  if (tiles.empty()) return 0;
  const auto tenth = tiles.begin() + static_cast<std::ptrdiff_t>(tiles.size() * 9 / 10);
  std::nth_element(tiles.begin(), tenth, tiles.end());
  return *tenth / (*tenth + kCrisp);
}

double exposure_of(const std::vector<std::uint8_t>& luma) {
  std::size_t clipped = 0;
  double sum = 0;
  for (const std::uint8_t value : luma) {
    clipped += value <= 6 || value >= 249 ? 1 : 0;
    sum += value;
  }
  const double count = static_cast<double>(luma.size());
  const double off = std::abs(sum / count / 255 - 0.5);
  const double kept = std::max(0.0, 1 - 1.5 * static_cast<double>(clipped) / count);
  return kept * std::clamp((0.5 - off) / 0.25, 0.0, 1.0);
}

}  // namespace

Measured measure(const Image& image) {
  const Image seen = small(image);
  const std::vector<std::uint8_t> luma = to_luma(seen);
  return {print_of(seen), focus_of(edges_of_tiles(luma, seen.width, seen.height)),
          exposure_of(luma)};
}

int print_distance(std::uint64_t a, std::uint64_t b) {
  return std::popcount(a ^ b);
}

}  // namespace affiche::photos
