// SPDX-License-Identifier: Apache-2.0
#include "imaging/main_colours.h"

#include <algorithm>
#include <cmath>

namespace affiche {
namespace {

constexpr std::size_t kCentres = 8;
constexpr int kRounds = 16;

float square_distance(Oklab p, Oklab q) {
  const Oklab d = p - q;
  return d.lightness * d.lightness + d.a * d.a + d.b * d.b;
}

std::size_t nearest(std::span<const MainColour> centres, Oklab sample) {
  std::size_t best = 0;
  float least = square_distance(centres[0].colour, sample);
  for (std::size_t i = 1; i < centres.size(); ++i) {
    const float away = square_distance(centres[i].colour, sample);
    if (away < least) {
      least = away;
      best = i;
    }
  }
  return best;
}

// The mean first, then again and again the sample that is farthest from all centres.
std::vector<MainColour> starts(std::span<const Oklab> samples) {
  Oklab mean;
  for (const Oklab sample : samples) mean = mean + sample;
  std::vector<MainColour> centres = {{mean * (1 / static_cast<float>(samples.size())), 0}};
  std::vector<float> away(samples.size(), 1e9F);
  while (centres.size() < kCentres) {
    std::size_t farthest = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      away[i] = std::min(away[i], square_distance(samples[i], centres.back().colour));
      if (away[i] > away[farthest]) farthest = i;
    }
    if (away[farthest] < 1e-6F) break;
    centres.push_back({samples[farthest], 0});
  }
  return centres;
}

void refine(std::span<const Oklab> samples, std::vector<MainColour>& centres) {
  for (int round = 0; round < kRounds; ++round) {
    std::vector<MainColour> sums(centres.size());
    for (const Oklab sample : samples) {
      MainColour& sum = sums[nearest(centres, sample)];
      sum.colour = sum.colour + sample;
      sum.share += 1;
    }
    for (std::size_t i = 0; i < centres.size(); ++i) {
      if (sums[i].share > 0) centres[i].colour = sums[i].colour * (1 / sums[i].share);
      centres[i].share = sums[i].share / static_cast<float>(samples.size());
    }
  }
  std::erase_if(centres, [](const MainColour& centre) { return centre.share <= 0; });
}

// The nearest two become one until all are `least` apart.
void join(std::vector<MainColour>& centres, float least) {
  while (centres.size() > 1) {
    std::size_t p = 0, q = 1;
    for (std::size_t i = 0; i < centres.size(); ++i)
      for (std::size_t j = i + 1; j < centres.size(); ++j)
        if (square_distance(centres[i].colour, centres[j].colour) <
            square_distance(centres[p].colour, centres[q].colour)) {
          p = i;
          q = j;
        }
    if (distance(centres[p].colour, centres[q].colour) >= least) break;
    const float share = centres[p].share + centres[q].share;
    centres[p] = {mix(centres[p].colour, centres[q].colour, centres[q].share / share), share};
    centres.erase(centres.begin() + static_cast<std::ptrdiff_t>(q));
  }
}

}  // namespace

std::vector<Oklab> colour_samples(const Image& image) {
  constexpr int kAcross = 100, kDown = 60;
  const int columns = std::min(kAcross, image.width), rows = std::min(kDown, image.height);
  std::vector<Oklab> samples;
  samples.reserve(static_cast<std::size_t>(columns * rows));
  for (int row = 0; row < rows; ++row) {
    const auto y = static_cast<std::size_t>((2 * row + 1) * image.height / (2 * rows));
    for (int column = 0; column < columns; ++column) {
      const int x = (2 * column + 1) * image.width / (2 * columns);
      samples.push_back(lab_of_srgb(
          &image.pixels[y * image.stride() + static_cast<std::size_t>(x * image.channels)]));
    }
  }
  return samples;
}

std::vector<MainColour> main_colours(std::span<const Oklab> samples, float least) {
  if (samples.empty()) return {};
  std::vector<MainColour> centres = starts(samples);
  refine(samples, centres);
  join(centres, least);
  std::stable_sort(centres.begin(), centres.end(),
                   [](const MainColour& p, const MainColour& q) { return p.share > q.share; });
  return centres;
}

}  // namespace affiche
