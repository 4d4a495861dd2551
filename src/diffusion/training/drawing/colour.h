// SPDX-License-Identifier: Apache-2.0
// Colours of the drawings. They are mixed in OKLab (B. Ottosson 2020), where the way between two
// colours stays clean; mixing in sRGB would turn teal and coral into mud.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace affiche::diffusion {

struct Lab {
  float lightness = 0, a = 0, b = 0;
};

inline Lab operator+(Lab p, Lab q) {
  return {p.lightness + q.lightness, p.a + q.a, p.b + q.b};
}
inline Lab operator*(Lab p, float s) {
  return {p.lightness * s, p.a * s, p.b * s};
}
inline Lab mix(Lab p, Lab q, float t) {
  return p * (1 - t) + q * t;
}

Lab lab_of_srgb(std::uint32_t rrggbb);
// Writes three bytes; colours outside sRGB are clipped per channel.
void put_srgb(Lab colour, std::uint8_t* rgb);

struct NamedColour {
  std::string_view name;  // as captions and prompts spell it
  std::uint32_t rrggbb;   // sRGB
};

// All colours that captions may name, in a fixed order: trained models depend on the names.
std::span<const NamedColour> palette();

}  // namespace affiche::diffusion
