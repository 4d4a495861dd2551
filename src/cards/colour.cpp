// SPDX-License-Identifier: Apache-2.0
#include "cards/colour.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace affiche::cards {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::array<double, 256> linear_table() {
  std::array<double, 256> table{};
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double v = static_cast<double>(i) / 255;
    table[i] = v <= 0.04045 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4);
  }
  return table;
}

}  // namespace

const std::array<double, 256>& linear_light() {
  static const std::array<double, 256> table = linear_table();
  return table;
}

bool parse_hex(const std::string& text, Colour& colour) {
  if ((text.size() != 7 && text.size() != 9) || text[0] != '#') return false;
  std::array<int, 4> channel = {0, 0, 0, 255};
  for (std::size_t i = 1; i < text.size(); i += 2) {
    const int high = hex_digit(text[i]);
    const int low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return false;
    channel[(i - 1) / 2] = high * 16 + low;
  }
  colour = {static_cast<std::uint8_t>(channel[0]), static_cast<std::uint8_t>(channel[1]),
            static_cast<std::uint8_t>(channel[2]), channel[3] / 255.0};
  return true;
}

std::string to_hex(const Colour& colour) {
  static const char* digits = "0123456789abcdef";
  std::string text = "#";
  for (const std::uint8_t value : {colour.red, colour.green, colour.blue}) {
    text += digits[value >> 4];
    text += digits[value & 15];
  }
  return text;
}

double luminance(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  return luminance_of(linear_light(), static_cast<std::uint32_t>(red) << 16 |
                                          static_cast<std::uint32_t>(green) << 8 | blue);
}

double luminance(const Colour& colour) {
  return luminance(colour.red, colour.green, colour.blue);
}

double contrast(double luminance_a, double luminance_b) {
  return (std::max(luminance_a, luminance_b) + 0.05) / (std::min(luminance_a, luminance_b) + 0.05);
}

}  // namespace affiche::cards
