// SPDX-License-Identifier: Apache-2.0
// The palette of named colours.
#include "diffusion/training/drawing/colour.h"

namespace affiche::diffusion {
namespace {

constexpr NamedColour kPalette[] = {
    {"white", 0xF8F8F6},      {"sand", 0xF4E9D8},       {"silver", 0xC9CED4},
    {"slate", 0x3D4957},      {"charcoal", 0x25282D},   {"black", 0x0B0B0D},
    {"ink navy", 0x0F1B2D},   {"navy", 0x17305F},       {"royal blue", 0x2557DB},
    {"sky blue", 0x7BC3F4},   {"deep teal", 0x0A4F5C},  {"teal", 0x0FA3B1},
    {"mint", 0xB4EBD0},       {"emerald", 0x12955C},    {"forest green", 0x1D4A2C},
    {"lime", 0xB3DD3A},       {"yellow", 0xFFDA33},     {"amber", 0xFFAE1C},
    {"orange", 0xFB7A1B},     {"coral", 0xFF6B4A},      {"brown", 0x69412A},
    {"red", 0xDB2331},        {"burgundy", 0x5C142B},   {"rose", 0xF39AB2},
    {"magenta", 0xD1229A},    {"lavender", 0xC4B3F1},   {"violet", 0x7A40E0},
    {"plum", 0x4B1F58},       {"cream", 0xFFF3C9},      {"ash grey", 0x8E9297},
    {"taupe", 0x8B7B6E},      {"stone", 0xBDB5A6},      {"midnight blue", 0x111145},
    {"indigo", 0x3A2A9E},     {"steel blue", 0x4F7CA8}, {"ice blue", 0xD6ECF8},
    {"periwinkle", 0x8E9BEF}, {"turquoise", 0x3FE0D0},  {"petrol", 0x124A6B},
    {"jade", 0x3FAE8C},       {"sage", 0xA3B59A},       {"olive", 0x6B7030},
    {"moss", 0x3E5A1E},       {"leaf green", 0x4FB83D}, {"mustard", 0xC99A1A},
    {"honey", 0xE8BE62},      {"apricot", 0xFDBA86},    {"peach", 0xFFD9C2},
    {"terracotta", 0xC4603F}, {"rust", 0x9C3B14},       {"copper", 0xB97848},
    {"espresso", 0x2B1A12},   {"crimson", 0xA80F3C},    {"salmon", 0xFA8E82},
    {"blush", 0xF7D3DA},      {"hot pink", 0xFF4F9A},   {"orchid", 0xC36BD6},
    {"lilac", 0xDFC5E8},      {"mauve", 0x9A6C92},      {"aubergine", 0x2E1130},
};

}  // namespace

std::span<const NamedColour> palette() {
  return kPalette;
}

}  // namespace affiche::diffusion
