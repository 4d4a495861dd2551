// SPDX-License-Identifier: Apache-2.0
// Small charts: columns, bars or a line, each value with its number and label.
#pragma once

#include <cairo.h>

#include <string>
#include <vector>

#include "cards/placing.h"

namespace affiche::cards {

struct Chart {
  struct Bar {
    Box box;
    Colour colour;
    // Which end is free and thus round: up, right, down or left of the zero line.
    enum class End { Top, Right, Bottom, Left } end = End::Top;
  };
  std::vector<Bar> bars;
  double radius = 0;
  std::vector<std::array<double, 2>> line;  // of a line chart
  std::vector<std::array<double, 2>> dots;
  Colour line_colour;
  Colour dot_colour;
  double line_width = 0;
  std::vector<PlacedText> texts;  // values and labels

  void draw(cairo_t* context) const;
};

// Numbers are printed as the job wrote them; all values share one size, all labels another.
// BadInput when labels and values differ in number or no size between max_size and min_size fits.
Chart lay_out_chart(const CardJob& job, const Layer& layer, const ChartLayer& content,
                    const Box& box);

}  // namespace affiche::cards
