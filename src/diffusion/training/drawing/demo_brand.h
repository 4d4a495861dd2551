// SPDX-License-Identifier: Apache-2.0
// The demo brand's own look: an ink-dark ground with a teal sheen, crossed by one satin band of
// coral and amber in three soft folds that pinches and opens like a sheaf. No base family looks
// like it, so the LoRA that learns it changes the picture visibly.
#pragma once

#include <algorithm>

#include "diffusion/training/drawing/brush.h"

namespace affiche::diffusion {

class DemoBrand : public FamilyTraits {
 public:
  DemoBrand(const Setting& setting, Random& random)
      : half_width_(setting.half_width),
        seed_(random.bits()),
        turn_(random.between(-0.45F, -0.1F)),
        place_(random.between(-0.06F, 0.16F)),
        rate_(random.between(2.0F, 3.0F)),
        phase_(random.between(0, 6.28F)) {}
  Lab operator()(float x, float y) const {
    const float u = turn_.along(x, y), v = turn_.across(x, y);
    const float sheen = smoothstep(0.75F, -0.2F, std::hypot(x + 0.6F * half_width_, y + 0.45F));
    Lab colour = mix(kInk, kTeal, 0.62F * sheen * sheen);
    const float middle = place_ + 0.13F * std::sin(rate_ * u + phase_);
    const float half = 0.25F + 0.09F * std::sin(1.7F * rate_ * u - phase_);
    const float across = (v - middle) / half;
    if (std::fabs(across) < 1) {
      const float fold = 0.5F + 0.5F * std::cos(3.1416F * 3 * across);  // three folds
      const Lab satin = mix(kCoral, kAmber, smoothstep(-0.9F, 0.9F, across));
      const float edge = smoothstep(0, 0.4F, 1 - std::fabs(across));
      colour = mix(colour, mix(kWine, satin, fold), 0.94F * edge);
    }
    return lighter(colour, 0.02F * (noise(34 * x, 34 * y, seed_) - 0.5F));
  }

 private:
  static inline const Lab kInk = lab_of_srgb(0x0F1B2D), kTeal = lab_of_srgb(0x0FA3B1),
                          kCoral = lab_of_srgb(0xFF6B4A), kAmber = lab_of_srgb(0xFFAE1C),
                          kWine = lab_of_srgb(0x7A2438);
  float half_width_;
  std::uint32_t seed_;
  Turn turn_;
  float place_, rate_, phase_;
};

}  // namespace affiche::diffusion
