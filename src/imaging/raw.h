// SPDX-License-Identifier: Apache-2.0
// Uncompressed pictures as artifacts: generated backgrounds are kept so, because decoding a PNG of
// a card's size costs more than setting the card (docs/performance.md). Layout, little endian:
// "AFPX", u32 version 1, u32 width, u32 height, u32 channels, pixels.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/files.h"
#include "imaging/image.h"

namespace affiche {

inline constexpr const char* kRawMediaType = "application/x-affiche-pixels";

Bytes to_raw(const Image& image);
// BadInput, naming `what`, unless the header is right and the length is exactly what it implies.
Image from_raw(std::span<const std::uint8_t> bytes, const std::string& what);

}  // namespace affiche
