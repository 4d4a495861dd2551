// SPDX-License-Identifier: Apache-2.0
#include "diffusion/training/picture_features.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/error.h"
#include "imaging/oklab.h"

namespace affiche::diffusion {
namespace {

constexpr int kAcross = 96;  // samples along a row
constexpr int kBins = 8;

struct Grid {
  int width, height;
  std::vector<Oklab> cells;
  Oklab at(int x, int y) const { return cells[static_cast<std::size_t>(y * width + x)]; }
};

// Means of boxes, so that all sizes give the same.
Grid sampled(const Image& image) {
  const int width = std::min(kAcross, image.width);
  const int height = std::clamp(image.height * width / image.width, 1, image.height);
  Grid grid{width, height, {}};
  for (int row = 0; row < height; ++row)
    for (int column = 0; column < width; ++column) {
      Oklab sum;
      float count = 0;
      for (int y = row * image.height / height; y < (row + 1) * image.height / height; ++y)
        for (int x = column * image.width / width; x < (column + 1) * image.width / width; ++x) {
          sum = sum + lab_of_srgb(&image.pixels[static_cast<std::size_t>(y) * image.stride() +
                                                static_cast<std::size_t>(x * image.channels)]);
          ++count;
        }
      grid.cells.push_back(sum * (1 / count));
    }
  return grid;
}

void add_histogram(const Grid& grid, std::vector<float>& features) {
  std::array<float, 3 * kBins> bins{};
  const auto bin = [](float value, float low, float high) {
    return std::clamp(static_cast<int>((value - low) / (high - low) * kBins), 0, kBins - 1);
  };
  for (const Oklab cell : grid.cells) {
    ++bins[static_cast<std::size_t>(bin(cell.lightness, 0, 1))];
    ++bins[static_cast<std::size_t>(kBins + bin(cell.a, -0.2F, 0.2F))];
    ++bins[static_cast<std::size_t>(2 * kBins + bin(cell.b, -0.2F, 0.2F))];
  }
  for (const float count : bins) features.push_back(count / static_cast<float>(grid.cells.size()));
}

void add_layout(const Grid& grid, std::vector<float>& features) {
  for (int row = 0; row < 3; ++row)
    for (int column = 0; column < 3; ++column) {
      Oklab sum;
      float count = 0;
      for (int y = row * grid.height / 3; y < (row + 1) * grid.height / 3; ++y)
        for (int x = column * grid.width / 3; x < (column + 1) * grid.width / 3; ++x, ++count)
          sum = sum + grid.at(x, y);
      const Oklab mean = sum * (1 / std::max(1.0F, count));
      features.insert(features.end(), {mean.lightness, mean.a, mean.b});
    }
}

// Mean differences over 1, 2, 4 and 8 cells along 4 directions, as logarithms.
void add_roughness(const Grid& grid, std::vector<float>& features) {
  constexpr std::array<std::array<int, 2>, 4> kWays = {{{1, 0}, {0, 1}, {1, 1}, {1, -1}}};
  for (int step = 1; step <= 8; step *= 2)
    for (const auto& way : kWays) {
      const int dx = way[0] * step, dy = way[1] * step;
      float sum = 0, count = 0;
      for (int y = std::max(0, -dy); y < grid.height - std::max(0, dy); ++y)
        for (int x = 0; x < grid.width - dx; ++x, ++count)
          sum += distance(grid.at(x, y), grid.at(x + dx, y + dy));
      features.push_back(0.1F * std::log(0.002F + sum / std::max(1.0F, count)));
    }
}

}  // namespace

std::vector<float> picture_features(const Image& image) {
  if (image.empty()) fail(Cause::BadInput, "features: expected a picture, found an empty one");
  const Grid grid = sampled(image);
  std::vector<float> features;
  add_histogram(grid, features);
  add_layout(grid, features);
  add_roughness(grid, features);
  return features;
}

double feature_distance(const std::vector<std::vector<float>>& of,
                        const std::vector<std::vector<float>>& to) {
  if (of.empty() || to.empty())
    fail(Cause::Usage, "feature distance: expected two sets of pictures");
  double sum = 0;
  const std::size_t size = of.front().size();
  for (std::size_t i = 0; i < size; ++i) {
    const auto mean = [i](const std::vector<std::vector<float>>& set) {
      double total = 0;
      for (const auto& features : set) total += static_cast<double>(features[i]);
      return total / static_cast<double>(set.size());
    };
    const double here = mean(of), there = mean(to);
    double variance = 0;
    for (const auto& features : of) {
      const double away = static_cast<double>(features[i]) - here;
      variance += away * away / static_cast<double>(of.size());
    }
    // Numbers that hardly vary within the set would count without bounds.
    const double unit = std::sqrt(variance) + 0.03;
    sum += (here - there) * (here - there) / (unit * unit);
  }
  return std::sqrt(sum / static_cast<double>(size));
}

}  // namespace affiche::diffusion
