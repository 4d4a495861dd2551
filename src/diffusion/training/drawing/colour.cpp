// SPDX-License-Identifier: Apache-2.0
// OKLab conversions and the palette of named colours.
#include "diffusion/training/drawing/colour.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace affiche::diffusion {
namespace {

constexpr NamedColour kPalette[] = {
    {"white", 0xF8F8F6},    {"sand", 0xF4E9D8},      {"silver", 0xC9CED4},
    {"slate", 0x3D4957},    {"charcoal", 0x25282D},  {"black", 0x0B0B0D},
    {"ink navy", 0x0F1B2D}, {"navy", 0x17305F},      {"royal blue", 0x2557DB},
    {"sky blue", 0x7BC3F4}, {"deep teal", 0x0A4F5C}, {"teal", 0x0FA3B1},
    {"mint", 0xB4EBD0},     {"emerald", 0x12955C},   {"forest green", 0x1D4A2C},
    {"lime", 0xB3DD3A},     {"yellow", 0xFFDA33},    {"amber", 0xFFAE1C},
    {"orange", 0xFB7A1B},   {"coral", 0xFF6B4A},     {"brown", 0x69412A},
    {"red", 0xDB2331},      {"burgundy", 0x5C142B},  {"rose", 0xF39AB2},
    {"magenta", 0xD1229A},  {"lavender", 0xC4B3F1},  {"violet", 0x7A40E0},
    {"plum", 0x4B1F58},
};

float linear_of_srgb(float s) {
  return s <= 0.04045F ? s / 12.92F : std::pow((s + 0.055F) / 1.055F, 2.4F);
}

constexpr int kSteps = 8192;

const std::array<std::uint8_t, kSteps + 1>& srgb_table() {
  static const auto table = [] {
    std::array<std::uint8_t, kSteps + 1> t{};
    for (int i = 0; i <= kSteps; ++i) {
      const float x = static_cast<float>(i) / kSteps;
      const float s = x <= 0.0031308F ? 12.92F * x : 1.055F * std::pow(x, 1 / 2.4F) - 0.055F;
      t[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(std::lround(s * 255));
    }
    return t;
  }();
  return table;
}

std::uint8_t encode(float linear) {
  const float clipped = std::clamp(linear, 0.0F, 1.0F);
  return srgb_table()[static_cast<std::size_t>(clipped * kSteps + 0.5F)];
}

}  // namespace

Lab lab_of_srgb(std::uint32_t rrggbb) {
  const auto channel = [&](int shift) {
    return linear_of_srgb(static_cast<float>((rrggbb >> shift) & 255) / 255);
  };
  const float r = channel(16), g = channel(8), b = channel(0);
  const float l = std::cbrt(0.4122214708F * r + 0.5363325363F * g + 0.0514459929F * b);
  const float m = std::cbrt(0.2119034982F * r + 0.6806995451F * g + 0.1073969566F * b);
  const float s = std::cbrt(0.0883024619F * r + 0.2817188376F * g + 0.6299787005F * b);
  return {0.2104542553F * l + 0.7936177850F * m - 0.0040720468F * s,
          1.9779984951F * l - 2.4285922050F * m + 0.4505937099F * s,
          0.0259040371F * l + 0.7827717662F * m - 0.8086757660F * s};
}

void put_srgb(Lab colour, std::uint8_t* rgb) {
  const float l = colour.lightness + 0.3963377774F * colour.a + 0.2158037573F * colour.b;
  const float m = colour.lightness - 0.1055613458F * colour.a - 0.0638541728F * colour.b;
  const float s = colour.lightness - 0.0894841775F * colour.a - 1.2914855480F * colour.b;
  const float l3 = l * l * l, m3 = m * m * m, s3 = s * s * s;
  rgb[0] = encode(4.0767416621F * l3 - 3.3077115913F * m3 + 0.2309699292F * s3);
  rgb[1] = encode(-1.2684380046F * l3 + 2.6097574011F * m3 - 0.3413193965F * s3);
  rgb[2] = encode(-0.0041960863F * l3 - 0.7034186147F * m3 + 1.7076147010F * s3);
}

std::span<const NamedColour> palette() {
  return kPalette;
}

}  // namespace affiche::diffusion
