// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "cards/subject.h"

namespace affiche::cards {
namespace {

// A point stands for something about this large, as a share of the crop's smaller side.
constexpr double kUsualSize = 0.28;
constexpr double kLargestSize = 0.9;

double common(double from_a, double to_a, double from_b, double to_b) {
  return std::max(0.0, std::min(to_a, to_b) - std::max(from_a, from_b));
}

// Share of the box that lies under the taken ones or outside of the crop.
double covered(const Box& box, const std::vector<Box>& taken) {
  const double area = box.width * box.height;
  double share = 1 - common(box.x, box.right(), 0, 1) * common(box.y, box.bottom(), 0, 1) / area;
  for (const Box& other : taken) {
    share += common(box.x, box.right(), other.x, other.right()) *
             common(box.y, box.bottom(), other.y, other.bottom()) / area;
  }
  return std::min(share, 1.0);
}

// Evenly over the slack, the ideal one first.
std::vector<double> candidates(double ideal, double slack) {
  constexpr int kSteps = 40;
  std::vector<double> result = {ideal};
  if (slack < 0.5) return result;
  for (int i = 0; i <= kSteps; ++i) result.push_back(slack * i / kSteps);
  return result;
}

}  // namespace

std::array<double, 2> place_crop(double width, double height, double crop_width, double crop_height,
                                 const Subject& subject, const std::vector<Box>& taken) {
  const double slack_x = std::max(0.0, width - crop_width);
  const double slack_y = std::max(0.0, height - crop_height);
  const double x = subject.x * width;
  const double y = subject.y * height;
  const std::array<double, 2> ideal = {std::clamp(x - crop_width / 2, 0.0, slack_x),
                                       std::clamp(y - crop_height / 2, 0.0, slack_y)};
  if (taken.empty()) return ideal;

  const double usual = kUsualSize * std::min(crop_width, crop_height);
  const auto size = [&](double own, double crop) {
    return std::clamp(own, usual, std::max(usual, kLargestSize * crop));
  };
  const double subject_width = size(subject.width * width, crop_width);
  const double subject_height = size(subject.height * height, crop_height);
  const auto cost = [&](double left, double top) {
    const Box box = {(x - subject_width / 2 - left) / crop_width,
                     (y - subject_height / 2 - top) / crop_height, subject_width / crop_width,
                     subject_height / crop_height};
    const double away = std::hypot((left - ideal[0]) / crop_width, (top - ideal[1]) / crop_height);
    return 4 * covered(box, taken) + away;
  };
  std::array<double, 2> best = ideal;
  double least = cost(ideal[0], ideal[1]);
  for (const double left : candidates(ideal[0], slack_x)) {
    for (const double top : candidates(ideal[1], slack_y)) {
      const bool near = std::abs(left - ideal[0]) <= subject.leeway * crop_width &&
                        std::abs(top - ideal[1]) <= subject.leeway * crop_height;
      const double now = near ? cost(left, top) : least;
      if (now >= least) continue;
      least = now;
      best = {left, top};
    }
  }
  return best;
}

}  // namespace affiche::cards
