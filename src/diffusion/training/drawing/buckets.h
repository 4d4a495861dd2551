// SPDX-License-Identifier: Apache-2.0
// Finds the few shapes that may touch a point: the picture is cut into cells, each of which lists
// the shapes whose box meets it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace affiche::diffusion {

class Buckets {
 public:
  struct Box {
    float left, top, right, bottom;
  };
  // Boxes in the coordinates of brush.h; what lies outside of the picture counts to its edge.
  Buckets(float half_width, std::span<const Box> boxes) : half_width_(half_width) {
    std::vector<std::vector<std::uint16_t>> lists(kSide * kSide);
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      const Box& box = boxes[i];
      for (int row = place(box.top, 0.5F); row <= place(box.bottom, 0.5F); ++row)
        for (int column = place(box.left, half_width_); column <= place(box.right, half_width_);
             ++column)
          lists[static_cast<std::size_t>(row * kSide + column)].push_back(
              static_cast<std::uint16_t>(i));
    }
    for (const auto& list : lists) {
      starts_.push_back(static_cast<std::uint32_t>(items_.size()));
      items_.insert(items_.end(), list.begin(), list.end());
    }
    starts_.push_back(static_cast<std::uint32_t>(items_.size()));
  }
  // Indices of boxes that may hold the point, in their order.
  std::span<const std::uint16_t> at(float x, float y) const {
    const auto cell = static_cast<std::size_t>(place(y, 0.5F) * kSide + place(x, half_width_));
    return {items_.data() + starts_[cell], items_.data() + starts_[cell + 1]};
  }

 private:
  static constexpr int kSide = 24;
  static int place(float x, float half) {
    return std::clamp(static_cast<int>((x / (2 * half) + 0.5F) * kSide), 0, kSide - 1);
  }
  float half_width_;
  std::vector<std::uint32_t> starts_;
  std::vector<std::uint16_t> items_;
};

}  // namespace affiche::diffusion
