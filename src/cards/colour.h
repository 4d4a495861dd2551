// SPDX-License-Identifier: Apache-2.0
// sRGB colours as brands and templates name them, and WCAG 2.2 contrast between them.
#pragma once

#include <array>
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

// The linear light (0 to 1) of each 8-bit sRGB value, IEC 61966-2-1.
const std::array<double, 256>& linear_light();
// WCAG 2.2 relative luminance (0 to 1) of 8-bit sRGB, and the contrast ratio (1 to 21) of two.
double luminance(std::uint8_t red, std::uint8_t green, std::uint8_t blue);
double luminance(const Colour& colour);
// From linear_light(), for loops over pixels 0x..RRGGBB.
inline double luminance_of(const std::array<double, 256>& linear, std::uint32_t pixel) {
  return 0.2126 * linear[pixel >> 16 & 255] + 0.7152 * linear[pixel >> 8 & 255] +
         0.0722 * linear[pixel & 255];
}
double contrast(double luminance_a, double luminance_b);

}  // namespace affiche::cards
