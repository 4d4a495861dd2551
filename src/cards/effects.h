// SPDX-License-Identifier: Apache-2.0
// What is done to a layer, or a group of layers, that was drawn on a transparent canvas of its own,
// and how it is laid over the card. Thread-safe for different canvases.
#pragma once

#include <functional>
#include <string>

#include "cards/canvas.h"
#include "cards/template.h"

namespace affiche::cards {

struct EffectPlace {
  Box box;       // of the layer: what masks, corners, borders and rotation refer to
  Mask outline;  // the layer's own mask, when it was drawn with one: the border follows it
  bool mirrored = false;
  std::string what;  // for errors
  std::function<Colour(const Paint&)> paint;
};

// Applies all but opacity: blur, tint, duotone, grain, corners, mask, border, rotation; lays shadow
// and layer over `below` with the layer's blend mode at `opacity`.
void lay_with_effects(Canvas& below, Canvas&& layer, const Effects& effects,
                      const EffectPlace& place, double opacity);

// The steps of it: all that changes the layer itself; what the finished layer casts; lay() below.
Canvas with_effects(Canvas&& layer, const Effects& effects, const EffectPlace& place);
void lay_shadow(Canvas& below, const Canvas& finished, const Effects& effects,
                const EffectPlace& place, double opacity);

// Clockwise about the middle of the box.
Canvas rotated(const Canvas& canvas, const Box& box, double degrees);

// Premultiplied BGRA, in place: three box passes, close to a Gaussian of standard deviation
// `sigma` pixels (SVG 1.1, feGaussianBlur). Beyond the edge the pixels go on as they end.
void blur(Canvas& canvas, double sigma);

// `layer` over `below` by W3C Compositing and Blending Level 1.
void lay(Canvas& below, const Canvas& layer, Blend blend, double opacity);

}  // namespace affiche::cards
