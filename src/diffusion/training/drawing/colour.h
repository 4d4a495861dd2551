// SPDX-License-Identifier: Apache-2.0
// Colours of the drawings, mixed in OKLab, and the names by which captions and prompts call them.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "imaging/oklab.h"

namespace affiche::diffusion {

using Lab = Oklab;

struct NamedColour {
  std::string_view name;  // as captions and prompts spell it
  std::uint32_t rrggbb;   // sRGB
};

// All colours that captions may name, in a fixed order: trained models depend on the names.
std::span<const NamedColour> palette();

}  // namespace affiche::diffusion
