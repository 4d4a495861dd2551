// SPDX-License-Identifier: Apache-2.0
// Where a picture leaves room for words, and where its light comes from. Positions run from -1 to 1
// across and down.
#pragma once

#include <cmath>

#include "diffusion/training/drawing/noise.h"

namespace affiche::diffusion {

enum class Space {
  Full,
  EmptyLeft,
  EmptyRight,
  EmptyTop,
  EmptyBottom,
  EmptyCentre,
  DarkCentre,
  Frame,  // a panel of the ground, with the family around it
};

enum class Light { None, Left, Right, Above, Below, Centre, TopLeft, TopRight };

// How much of the family is seen; the empty side keeps the ground.
inline float presence(Space space, float x, float y) {
  switch (space) {
    case Space::EmptyLeft:
      return smoothstep(-0.25F, 0.45F, x);
    case Space::EmptyRight:
      return smoothstep(0.25F, -0.45F, x);
    case Space::EmptyTop:
      return smoothstep(-0.25F, 0.45F, y);
    case Space::EmptyBottom:
      return smoothstep(0.25F, -0.45F, y);
    case Space::EmptyCentre:
      return smoothstep(0.3F, 0.95F, std::sqrt(x * x + y * y));
    case Space::Full:
    case Space::DarkCentre:
    case Space::Frame:
      break;
  }
  return 1;
}

// Added lightness.
inline float light_at(Light light, float x, float y) {
  constexpr float kAmount = 0.12F;
  switch (light) {
    case Light::None:
      return 0;
    case Light::Left:
      return -kAmount * x;
    case Light::Right:
      return kAmount * x;
    case Light::Above:
      return -kAmount * y;
    case Light::Below:
      return kAmount * y;
    case Light::Centre:
      return kAmount * (1 - 1.2F * (x * x + y * y));
    case Light::TopLeft:
      return -0.75F * kAmount * (x + y);
    case Light::TopRight:
      return 0.75F * kAmount * (x - y);
  }
  return 0;
}

}  // namespace affiche::diffusion
