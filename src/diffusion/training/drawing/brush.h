// SPDX-License-Identifier: Apache-2.0
// What every family is given: colours, proportions and its own stream of random numbers. Families
// work in coordinates whose origin is the middle of the picture and whose unit is its height, so
// that a square and a wide picture show features of one size.
#pragma once

#include <cmath>
#include <cstdint>

#include "diffusion/training/drawing/colour.h"
#include "diffusion/training/drawing/noise.h"
#include "diffusion/training/drawing/random.h"

namespace affiche::diffusion {

struct Setting {
  Lab ground, second, third;
  float half_width = 0.5F;  // x runs from -half_width to half_width, y from -0.5 to 0.5
  float scale = 1;          // above 1: larger features
};

inline Lab lighter(Lab colour, float amount) {
  colour.lightness += amount;
  return colour;
}

// A point turned about the origin.
struct Turn {
  float cosine, sine;
  explicit Turn(float angle) : cosine(std::cos(angle)), sine(std::sin(angle)) {}
  float along(float x, float y) const { return cosine * x + sine * y; }
  float across(float x, float y) const { return cosine * y - sine * x; }
};

}  // namespace affiche::diffusion
