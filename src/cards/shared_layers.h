// SPDX-License-Identifier: Apache-2.0
// What layers are made from and can share between cards, through CardInputs::kept. Each function
// gives the same pixels whether it finds them or makes them.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cards/canvas.h"
#include "cards/picture.h"
#include "cards/placing.h"

namespace affiche::cards {

// Whether the layer looks the same on every card of this template, brand and choice of colours.
bool never_changes(const Layer& layer);
struct DrawnLayer {
  Plane plane;
  std::vector<LayerReport> reports;
};
// Such a layer by itself; `draw` draws it on a transparent canvas of the card's size.
std::shared_ptr<const DrawnLayer> drawn_layer(
    const CardJob& job, const Layer& layer, const Box& box,
    const std::function<void(Canvas& own, Composed& result)>& draw);

// The mask's coverage of the area.
std::shared_ptr<const Coverage> shared_coverage(const CardJob& job, const Layer& layer,
                                                const Mask& mask, const Area& area);

// A generated picture at the area's size, with its grain: opaque words of cairo.
std::shared_ptr<const std::vector<std::uint32_t>> generated_pixels(const CardJob& job,
                                                                   const GeneratedLayer& layer,
                                                                   const Generated& picture,
                                                                   const Area& area);

// Strengths of 0 to 65535 for the pixels of the area.
std::shared_ptr<const std::vector<std::uint16_t>> ramp(
    const CardJob& job, const std::string& key, const Area& area,
    const std::function<double(double x, double y)>& strength);

// cover() of the job's photo, graded as the layer says.
std::shared_ptr<const CoverPhoto> shared_cover(const CardJob& job, int width, int height,
                                               const PhotoLayer& layer, const PhotoPlace& place);

}  // namespace affiche::cards
