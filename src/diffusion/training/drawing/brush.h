// SPDX-License-Identifier: Apache-2.0
// What every family is given: colours, proportions and its own stream of random numbers. Families
// work in coordinates whose origin is the middle of the picture and whose unit is its height, so
// that a square and a wide picture show features of one size.
//
// A family is a class: the constructor draws the parameters, operator()(x, y) gives the colour of a
// point. kSamples points are asked for a pixel; a family with 1 softens its edges itself over
// Setting::pixel. A family with kComposes leaves out what the layout wants empty; the others are
// faded to the ground there.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/layout.h"
#include "diffusion/training/drawing/noise.h"
#include "diffusion/training/drawing/random.h"

namespace affiche::diffusion {

struct Setting {
  Lab ground, second, third;
  float half_width = 0.5F;  // x runs from -half_width to half_width, y from -0.5 to 0.5
  float scale = 1;          // above 1: larger features
  float pixel = 1 / 256.F;  // its side
  Space space = Space::Full;

  // How much of the family the layout wants at a point, 0 to 1.
  float seen(float x, float y) const { return presence(space, x / half_width, 2 * y); }
  // The colour of the family's t-th tone: 0 ground, 0.5 second, 1 third.
  Lab tone(float t) const {
    t = std::clamp(t, 0.0F, 1.0F);
    return t < 0.5F ? mix(ground, second, 2 * t) : mix(second, third, 2 * t - 1);
  }
};

// What a family inherits unless it says otherwise.
struct FamilyTraits {
  static constexpr int kSamples = 1;
  static constexpr bool kComposes = false;
};

// Light and shade as a surface shows them: shade takes the chroma along and never ends in another
// hue; light fades out towards white, where sRGB has no room for it.
inline Lab lighter(Lab colour, float amount) {
  const float lightness = colour.lightness;
  if (amount < 0) return colour * (lightness > 0.02F ? std::max(0.0F, 1 + amount / lightness) : 1);
  const float room = std::max(0.0F, 1 - lightness);
  const float step = amount * std::min(1.0F, 3.2F * room);
  const float fade = 1 - 0.45F * step / (room + 0.05F);
  return {lightness + step, colour.a * fade, colour.b * fade};
}

// How much of a pixel lies inside, for the distance of its middle to the edge (inside: negative).
inline float coverage(float away, float pixel) {
  const float t = 0.5F - away / (1.3F * pixel);
  return t < 0 ? 0 : (t > 1 ? 1 : t);
}

// A point turned about the origin.
struct Turn {
  float cosine = 1, sine = 0;
  Turn() = default;
  explicit Turn(float angle) : cosine(std::cos(angle)), sine(std::sin(angle)) {}
  float along(float x, float y) const { return cosine * x + sine * y; }
  float across(float x, float y) const { return cosine * y - sine * x; }
};

}  // namespace affiche::diffusion
