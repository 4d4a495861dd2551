// SPDX-License-Identifier: Apache-2.0
#include "cards/saliency.h"

#include <glib.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <vector>

namespace affiche::cards {
namespace {

using vips::VImage;

constexpr double kShortSide = 32;  // pixels that the picture is reduced to
constexpr double kLongSide = 256;

struct Colour3 {
  double r = 0;
  double g = 0;
  double b = 0;
  double luma() const { return 0.299 * r + 0.587 * g + 0.114 * b; }
  double length() const { return std::sqrt(r * r + g * g + b * b); }
};

struct Small {
  int width = 0;
  int height = 0;
  std::vector<Colour3> pixels;
  const Colour3& at(int x, int y) const {
    x = std::clamp(x, 0, width - 1);
    y = std::clamp(y, 0, height - 1);
    return pixels[static_cast<std::size_t>(y) * width + x];
  }
};

Small reduced(const VImage& image) {
  const double scale = std::min({1.0, kShortSide / std::min(image.width(), image.height())});
  const auto share = [&](int side) {
    return std::clamp(side * scale, std::min(8.0, static_cast<double>(side)), kLongSide) / side;
  };
  const VImage small = image.resize(
      share(image.width()),
      VImage::option()->set("vscale", share(image.height()))->set("kernel", VIPS_KERNEL_LINEAR));
  Small result{small.width(), small.height(), {}};
  std::size_t size = 0;
  const std::unique_ptr<void, decltype(&g_free)> memory(
      small.cast(VIPS_FORMAT_UCHAR).write_to_memory(&size), &g_free);
  const auto* bytes = static_cast<const std::uint8_t*>(memory.get());
  const auto bands = static_cast<std::size_t>(small.bands());
  const std::size_t green = bands >= 3 ? 1 : 0;
  for (std::size_t i = 0; i + bands <= size; i += bands) {
    result.pixels.push_back({static_cast<double>(bytes[i]), static_cast<double>(bytes[i + green]),
                             static_cast<double>(bytes[i + 2 * green])});
  }
  return result;
}

double saturation(const Colour3& c) {
  const double most = std::max({c.r, c.g, c.b});
  if (most <= 40) return 0;  // noise of the shadows
  return std::clamp(((most - std::min({c.r, c.g, c.b})) / most - 0.3) / 0.7, 0.0, 1.0);
}

// By the direction of the colour alone, so that it holds in light and shade.
double skin(const Colour3& c) {
  const double luma = c.luma();
  if (luma <= 50 || luma >= 240) return 0;
  const double length = c.length();
  const double away =
      std::sqrt(std::pow(c.r / length - 0.78, 2) + std::pow(c.g / length - 0.57, 2) +
                std::pow(c.b / length - 0.44, 2));
  return std::clamp(1 - away / 0.2, 0.0, 1.0);
}

double edge(const Small& small, int x, int y) {
  const double around = small.at(x - 1, y).luma() + small.at(x + 1, y).luma() +
                        small.at(x, y - 1).luma() + small.at(x, y + 1).luma();
  return std::min(std::abs(4 * small.at(x, y).luma() - around) / 80, 1.0);
}

// How much each pixel draws the eye. The weights were set by looking at crops of some thirty
// photographs in the shapes of all templates.
std::vector<double> energy_of(const Small& small) {
  Colour3 mean;
  double usual_saturation = 0;
  double usual_skin = 0;
  const auto count = static_cast<double>(small.pixels.size());
  for (const Colour3& c : small.pixels) {
    mean = {mean.r + c.r / count, mean.g + c.g / count, mean.b + c.b / count};
    usual_saturation += saturation(c) / count;
    usual_skin += skin(c) / count;
  }
  std::vector<double> energy;
  for (int y = 0; y < small.height; ++y) {
    for (int x = 0; x < small.width; ++x) {
      const Colour3& c = small.at(x, y);
      const double odd = Colour3{c.r - mean.r, c.g - mean.g, c.b - mean.b}.length() / 160;
      energy.push_back(edge(small, x, y) + 0.5 * std::max(saturation(c) - usual_saturation, 0.0) +
                       1.6 * std::max(skin(c) - usual_skin, 0.0) + 0.25 * std::min(odd, 1.0));
    }
  }
  return energy;
}

// What a pixel counts at a place of the crop, -1 to 1 along each side.
double weight_across(double x) {
  return 1 - 1.2 * std::pow(std::clamp((std::abs(x) - 0.6) / 0.4, 0.0, 1.0), 2);
}
double weight_down(double y) {
  if (y < 0) return 1 - 2.2 * std::pow(std::clamp((-y - 0.5) / 0.5, 0.0, 1.0), 2);
  return 1 - 0.5 * std::pow(std::clamp((y - 0.75) / 0.25, 0.0, 1.0), 2);
}

std::vector<double> weights(int count, double (*weight)(double)) {
  std::vector<double> result;
  for (int i = 0; i < count; ++i) result.push_back(weight((i + 0.5) / count * 2 - 1));
  return result;
}

}  // namespace

std::array<double, 2> salient_middle(const VImage& image, double width, double height) {
  const Small small = reduced(image);
  const double scale = std::min(small.width / width, small.height / height);
  const int across = std::clamp(static_cast<int>(std::lround(width * scale)), 1, small.width);
  const int down = std::clamp(static_cast<int>(std::lround(height * scale)), 1, small.height);
  const std::vector<double> energy = energy_of(small);
  const std::vector<double> columns = weights(across, weight_across);
  const std::vector<double> rows = weights(down, weight_down);
  const auto kept = [&](int left, int top) {
    double sum = 0;
    for (int y = 0; y < down; ++y) {
      for (int x = 0; x < across; ++x) {
        sum += energy[static_cast<std::size_t>(top + y) * small.width + left + x] *
               std::min(columns[x], rows[y]);
      }
    }
    return sum;
  };
  // Of equals the one nearest to the middle: a wall is cut evenly.
  const auto away = [&](int left, int top) {
    return std::abs(2 * left - (small.width - across)) + std::abs(2 * top - (small.height - down));
  };
  int best_left = 0;
  int best_top = 0;
  double best = -1e300;
  constexpr double kEqual = 1e-6;
  for (int top = 0; top <= small.height - down; ++top) {
    for (int left = 0; left <= small.width - across; ++left) {
      const double now = kept(left, top);
      const bool nearer = away(left, top) < away(best_left, best_top);
      if (now < best - kEqual || (now <= best + kEqual && !nearer)) continue;
      best = now;
      best_left = left;
      best_top = top;
    }
  }
  return {(best_left + across / 2.0) / small.width, (best_top + down / 2.0) / small.height};
}

}  // namespace affiche::cards
