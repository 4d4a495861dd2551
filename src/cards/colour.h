// SPDX-License-Identifier: Apache-2.0
// sRGB colours as brands and templates name them, and WCAG 2.2 contrast between them.
#pragma once

#include <cstdint>
#include <string>

namespace affiche::cards {

struct Colour {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  double alpha = 1;  // 0 to 1
  bool operator==(const Colour&) const = default;
};

// Reads "#RRGGBB" or "#RRGGBBAA"; false when `text` is neither.
bool parse_hex(const std::string& text, Colour& colour);
// "#rrggbb"; the alpha is dropped.
std::string to_hex(const Colour& colour);

// WCAG 2.2 relative luminance (0 to 1) of 8-bit sRGB, and the contrast ratio (1 to 21) of two.
double luminance(std::uint8_t red, std::uint8_t green, std::uint8_t blue);
double luminance(const Colour& colour);
double contrast(double luminance_a, double luminance_b);

}  // namespace affiche::cards
